"""How one business's leads are worked: the window of that part of the settings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot import hours_typed
from bot.blocks.business_choice import (
    BUSINESS,
    BY_ZIP,
    CHANNEL,
    EVERYWHERE,
    GROUPS,
    HOURS,
    MOST_ON_DUTY,
    PEOPLE,
    PRIVACY,
    REMIND,
    ZONE,
    Choice,
    Everywhere,
)
from bot.blocks.kit import Block, Element, icon, line, plain, rich, section, small, small_plain, words
from bot.blocks.mrkdwn import mention, shorten
from bot.blocks.phones import called, option
from bot.blocks.settings_people import group_options
from bot.settings import Privacy
from storage.models import Business

MOST_BUSINESSES = 2_000

_IN_A_GROUP = 100  # https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_OF_ZONE = "Of its hours, and of the appointments on its cards."
_ZONES = {
    "America/New_York": "Eastern (New York)",
    "America/Chicago": "Central (Chicago)",
    "America/Denver": "Mountain (Denver)",
    "America/Phoenix": "Arizona (Phoenix)",
    "America/Los_Angeles": "Pacific (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
    "America/Puerto_Rico": "Puerto Rico",
}


def business_window(
    businesses: Sequence[Business],
    chosen: Business | None,
    *,
    everywhere: Everywhere,
    groups: Mapping[str, str] | None,
    again: bool = False,
) -> dict[str, Any]:
    """The window. Where one of several is to be chosen first it has no more fields (Slack wants a submit all the same).

    `groups`: the user groups, name by id; None where Slack did not say. `again`: it was saved before the business's own
    answers stood in it.
    """
    if not businesses:
        return _window([section("Corkboard has not heard of any business yet: they appear with their first lead.")])
    head = [small_plain(shorten(called(businesses[0]), 300))] if len(businesses) == 1 else [_picker(businesses, chosen)]
    if chosen is None:
        return _window(head) | {"submit": plain("Continue")}
    hint = [small(":point_down: These are this business's settings. Look at them, then save.")] if again else []
    now = Choice.of(chosen)
    fields = list(_fields(chosen.id or 0, now, everywhere, groups))
    shown = {"business": chosen.id, **asdict(now)}
    return _window([*head, *hint, *fields]) | {"submit": plain("Save"), "private_metadata": json.dumps(shown)}


def saved_window(business: Business, *, everywhere: Everywhere, changed: bool, cards: int) -> dict[str, Any]:
    """What takes the window's place once it was submitted. `cards`: how many show more or less from now on."""
    told = list(_holds(Choice.of(business), everywhere))
    said = words(" Saved for " if changed else " Nothing was changed for ")
    head = rich(line(icon("white_check_mark"), said, words(shorten(called(business), 300), bold=True)))
    counted = "1 lead's card is" if cards == 1 else f"{cards} leads' cards are"
    below = small(f"{counted} brought up to date. What stands in their threads stays as it is.")
    return _window([head, section("\n".join(f"• {one}" for one in told)), *([below] if cards else [])])


def audited(values: Mapping[str, Any]) -> dict[str, Any]:
    """Changed columns as the audit trail keeps and shows them."""
    told = {"hours": hours_typed.shown(values.get("hours") or {}).replace("\n", "; ") or "always"}
    return {name: told.get(name, value) for name, value in values.items()}


def gone_window() -> dict[str, Any]:
    """The business was forgotten meanwhile."""
    return _window([section("Corkboard does not know this business any more, so nothing was saved.")])


def _holds(now: Choice, everywhere: Everywhere) -> Iterator[str]:
    """What holds for its leads from now on."""
    yield (
        f"Its leads go to <#{now.channel}>, which takes no others."
        if now.channel
        else "Its leads go where all leads go."
    )
    is_private = (now.privacy or everywhere.privacy) == Privacy.PRIVATE
    yield "What leads say is behind the Open button." if is_private else "Cards show what leads say."
    steps = everywhere.remind_after if now.remind_after is None else now.remind_after
    minutes = " and ".join(filter(None, (_steps(steps[:-1]), _steps(steps[-1:]))))
    unit = "minute" if minutes == "1" else "minutes"
    yield f"Reminders after {minutes} {unit} without an answer." if steps else "No reminders."
    if steps:
        yield (
            f"On duty: {mention(now.on_duty)}."
            if now.on_duty
            else "Nobody is on duty: reminders call whoever new leads call."
        )
        yield f"In these hours:\n{hours_typed.shown(now.hours)}" if now.hours else "At all hours."


# The fields


def _picker(businesses: Sequence[Business], chosen: Business | None) -> Block:
    options = [option(one) for one in businesses[:MOST_BUSINESSES]]
    element: Element = {"type": "static_select", "action_id": BUSINESS, "placeholder": plain("Choose a business")}
    if len(options) <= _IN_A_GROUP:
        element["options"] = options
    else:
        parts = [options[at : at + _IN_A_GROUP] for at in range(0, len(options), _IN_A_GROUP)]
        element["option_groups"] = [{"label": _from_to(part), "options": part} for part in parts]
    element |= {"initial_option": option(chosen)} if chosen else {}
    made: Block = {"type": "input", "block_id": BUSINESS, "label": plain("Business"), "element": element}
    return made | {"dispatch_action": True}


def _from_to(options: Sequence[Element]) -> Element:
    first, last = (shorten(options[place]["text"]["text"], 30) for place in (0, -1))
    return plain(f"{first} to {last}")


def _fields(business_id: int, now: Choice, everywhere: Everywhere, groups: Mapping[str, str] | None) -> Iterator[Block]:
    yield _field(
        f"{CHANNEL}:{business_id}",
        "Its own channel",
        _channel_element(now.channel),
        hint="Other businesses' leads do not go there. Leave it empty for the channel of all leads.",
    )
    yield _field(f"{PRIVACY}:{business_id}", "What its cards show", _privacy_element(now.privacy, everywhere))
    yield _field(
        f"{REMIND}:{business_id}",
        "Minutes until a reminder",
        _text(
            REMIND, "" if now.remind_after is None else _steps(now.remind_after) or "0", _steps(everywhere.remind_after)
        ),
        hint="First in the thread, then to the people on duty, then in the channel, such as 5, 15, 60. Write 0 for never. "
        f"Leave it empty for what holds everywhere ({_steps(everywhere.remind_after) or 'never'}).",
    )
    yield _field(f"{PEOPLE}:{business_id}", "People on duty", _people_element(now.people))
    options, chosen = group_options(groups or {}, now.groups)
    if groups is not None and options:
        element: Element = {
            "type": "multi_static_select",
            "action_id": GROUPS,
            "placeholder": plain("Choose user groups"),
        }
        element |= {"options": options} | ({"initial_options": chosen} if chosen else {})
        yield _field(f"{GROUPS}:{business_id}", "User groups on duty", element)
    yield _field(
        f"{HOURS}:{business_id}",
        "Business hours",
        _text(HOURS, hours_typed.shown(now.hours or {}), hours_typed.EXAMPLE, multiline=True),
        hint="Reminders wait for them. A line for each group of days; leave it empty for all hours.",
    )
    yield _field(
        f"{ZONE}:{business_id}", "Time zone", _zone_element(now.time_zone, everywhere), hint=_OF_ZONE, optional=False
    )


def _field(block_id: str, label: str, element: Element, *, hint: str = "", optional: bool = True) -> Block:
    made: Block = {"type": "input", "block_id": block_id, "label": plain(label), "element": element}
    return made | {"optional": optional} | ({"hint": plain(hint)} if hint else {})


def _channel_element(channel: str | None) -> Element:
    element: Element = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "placeholder": plain("The channel of all leads"),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return element | ({"initial_conversation": channel} if channel else {})


def _privacy_element(privacy: str | None, everywhere: Everywhere) -> Element:
    holds = "only behind the Open button" if everywhere.privacy == Privacy.PRIVATE else "everything"
    labels = {
        EVERYWHERE: f"As everywhere: {holds}",
        str(Privacy.FULL): "Everything",
        str(Privacy.PRIVATE): "Nothing: it stands behind the Open button",
    }
    return _select(PRIVACY, labels, privacy or EVERYWHERE)


def _people_element(people: Sequence[str]) -> Element:
    element: Element = {"type": "multi_users_select", "action_id": PEOPLE, "placeholder": plain("Choose people")}
    return element | ({"initial_users": list(people)[:MOST_ON_DUTY]} if people else {})


def _zone_element(zone: str | None, everywhere: Everywhere) -> Element:
    otherwise = {BY_ZIP: "That of each lead's zip code"}
    if everywhere.time_zone is not None:
        otherwise = {EVERYWHERE: f"As everywhere: {everywhere.time_zone}"}
    labels = otherwise | _ZONES | ({zone: zone} if zone and zone not in _ZONES else {})
    return _select(ZONE, labels, zone or next(iter(otherwise)))


def _select(action_id: str, labels: Mapping[str, str], chosen: str) -> Element:
    options = {value: {"text": plain(label), "value": value} for value, label in labels.items()}
    first = options.get(chosen) or next(iter(options.values()))
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": list(options.values()),
        "initial_option": first,
    }


def _text(action_id: str, value: str, placeholder: str, *, multiline: bool = False) -> Element:
    element: Element = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": multiline,
        "max_length": hours_typed.LONGEST,
    }
    element |= {"placeholder": plain(placeholder)} if placeholder else {}
    return element | ({"initial_value": value} if value else {})


def _steps(minutes: Sequence[int]) -> str:
    return ", ".join(map(str, minutes))


def _window(blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "settings_business",
        "title": plain("Businesses"),
        "close": plain("Close"),
        "blocks": blocks,
    }
