"""The windows about where leads go: the rules in their order, the form of one, and what they make of a past lead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot import rule_reading
from bot.blocks.kit import Block, Element, actions, button, plain, section, small
from bot.blocks.lead_buttons import dollars
from bot.blocks.mrkdwn import escape, mention, shorten, visible
from bot.blocks.posts import Post
from bot.blocks.reading import filled
from bot.rooms import Room
from storage.models import Route
from storage.routing import has_conditions
from storage.rules import Rule

PAGE = 20
"""Rules on a page: a window takes 100 blocks."""

LISTED = 98  # Slack shows 100 options
"""How many businesses can be chosen from; where there are more, their id is typed."""

CHANNEL, BUSINESS, CATEGORY, ZIP, COST, PEOPLE = "channel", "business", "category", "zip_prefix", "min_cost", "mention"
"""The inputs of the form; also their block_ids."""

LEAD = "lead"
"""The input that says which lead is tried; also its block_id."""

_ANY = "any"
_OPTION = 75
_NAME = 60

Names = Mapping[str, str]
"""What businesses are called, by the ids that Thumbtack gives them."""

WHY_NOT: Mapping[Room, str] = {
    Room.ARCHIVED: "This channel is archived. Choose another, or unarchive it.",
    Room.NOT_IN: "Corkboard is not in this channel. Type /invite @Corkboard there, then save again.",
    Room.NOT_SEEN: "Corkboard does not see this channel. If it is private, type /invite @Corkboard there, then save again.",
}
NOT_ASKED = "Slack did not say whether Corkboard can post there, so nothing was saved. Try again in a minute."
BELONGS = "This channel belongs to other businesses alone. Say for which business the rule is, or choose another."
NO_LEAD = "Choose a lead."
_MISFITS = {
    "business": "another business",
    "category": "another category",
    "zip": "another zip code",
    "cost": "its cost",
}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A rule that was compared with a lead; `misfit`: what does not fit (see `storage.routing`), None where all does."""

    number: int
    rule: Route
    misfit: str | None


def routes_window(found: Sequence[Route], names: Names, *, page: int, default: str | None) -> dict[str, Any]:
    """The rules, a page of them; `default`: where leads go of which nothing else is said."""
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(page, 0), pages - 1)
    first = page * PAGE
    blocks = [
        section("The first rule that fits a lead says where it goes. A rule without conditions always comes last."),
        *(_row(row, number, names) for number, row in enumerate(found[first : first + PAGE], start=first + 1)),
        *([] if found else [section("*There are no rules.*")]),
        small(f"{_else(default)} Changes apply to new leads only."),
        actions([button("route_add", "Add a rule", page), button("route_try", "Try with a past lead", page)]),
        *_turning(page, pages, len(found)),
    ]
    return _modal("settings_routes", "Where leads go", blocks) | {"private_metadata": str(page)}


def _row(row: Route, number: int, names: Names) -> Block:
    options = [("Edit", "edit"), *([("Move up", "up")] if number > 1 else []), ("Delete", "delete")]
    element: Element = {
        "type": "overflow",
        "action_id": "route_menu",
        "options": [{"text": plain(label), "value": f"{deed} {row.id}"} for label, deed in options],
    }
    return section(f"*{number}.* {rule_line(row, names)}") | {"block_id": f"route_{row.id}", "accessory": element}


def rule_line(row: Route, names: Names) -> str:
    """A rule in one line of mrkdwn."""
    told = [
        _called(row.business, names) if row.business is not None else None,
        escape(row.category) if row.category is not None else None,
        f"zip {escape(row.zip_prefix)}…" if row.zip_prefix is not None else None,
        f"cost at least {dollars(row.min_cents)}" if row.min_cents is not None else None,
    ]
    conditions = " · ".join(filter(None, told)) if has_conditions(row) else "Everything else"
    ring = mention(row.ring)
    return f"{conditions} → <#{row.channel}>" + (f", mentions {ring}" if ring else "")


def _called(business: str, names: Names) -> str:
    return escape(shorten(visible(names.get(business)) or f"Business {business}", _NAME))


def _else(default: str | None) -> str:
    other = f"to <#{default}>" if default else "nowhere until a channel is set"
    return f"Leads that no rule fits go to their business's own channel, else {other}."


def _turning(page: int, pages: int, count: int) -> Iterable[Block]:
    if pages == 1:
        return
    buttons = [
        *([button("route_previous", "Previous", page - 1)] if page else []),
        *([button("route_next", "Next", page + 1)] if page + 1 < pages else []),
    ]
    yield actions(buttons)
    yield small(f"Page {page + 1} of {pages}, {count} rules in all. Many are changed more easily in a file.")


def form(rule: Rule | None, names: Names, *, carried: str) -> dict[str, Any]:
    """The form of a rule; None for a new one. `carried` comes back with what is submitted."""
    said = {} if rule is None else rule_reading.written(rule)
    blocks = [
        section("A lead must fit everything that is filled in. Leave out what does not matter."),
        _business(said.get(BUSINESS) or "", names),
        _typed(CATEGORY, "Category", "Interior Painting", said),
        _typed(ZIP, "Zip code begins with", "941", said),
        _typed(COST, "Lead costs at least, in dollars", "25", said),
        _channel(said.get(CHANNEL) or None),
        _people(() if rule is None else rule.ring),
    ]
    title = "New rule" if rule is None else "Edit rule"
    return _modal("route_form", title, blocks) | {"submit": plain("Save"), "private_metadata": carried}


def _business(chosen: str, names: Names) -> Block:
    if len(names) > LISTED:
        return _typed(BUSINESS, "Business, by the id that Thumbtack gives it", "any business", {BUSINESS: chosen})
    known = dict(names) | ({chosen: f"Business {chosen}"} if chosen and chosen not in names else {})
    options = {_ANY: _option("Any business", _ANY)}
    options |= {one: _option(visible(name) or f"Business {one}", one) for one, name in known.items()}
    element: Element = {"type": "static_select", "action_id": BUSINESS, "options": list(options.values())}
    return _field(BUSINESS, "Business", element | {"initial_option": options[chosen or _ANY]})


def _typed(name: str, label: str, example: str, said: Mapping[str, str]) -> Block:
    element: Element = {"type": "plain_text_input", "action_id": name, "placeholder": plain(example), "max_length": 150}
    return _field(name, label, element | ({"initial_value": said[name]} if said.get(name) else {}), optional=True)


def _channel(chosen: str | None) -> Block:
    element: Element = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return _field(CHANNEL, "Goes to", element | ({"initial_conversation": chosen} if chosen else {}))


def _people(ring: Sequence[str]) -> Block:
    """Groups cannot be chosen here, those that a file named stay."""
    people = [one for one in ring if not one.startswith("S")]
    element: Element = {"type": "multi_users_select", "action_id": PEOPLE, "placeholder": plain("As for all leads")}
    element |= {"initial_users": people} if people else {}
    field = _field(PEOPLE, "Mentions", element, optional=True)
    groups = len(ring) - len(people)
    return field | (
        {"hint": plain(f"And {groups} user group{'s' if groups > 1 else ''} from a file, kept as it says.")}
        if groups
        else {}
    )


def submitted(view: Mapping[str, Any]) -> dict[str, str]:
    """What a submitted form says, for `rule_reading`."""
    values = (view.get("state") or {}).get("values") or {}
    people = ((values.get(PEOPLE) or {}).get(PEOPLE) or {}).get("selected_users") or ()
    channel = ((values.get(CHANNEL) or {}).get(CHANNEL) or {}).get("selected_conversation") or ""
    business = filled(view, BUSINESS)
    return {
        BUSINESS: "" if business == _ANY else business,
        CATEGORY: filled(view, CATEGORY),
        ZIP: filled(view, ZIP),
        COST: filled(view, COST),
        CHANNEL: str(channel),
        PEOPLE: " ".join(map(str, people)),
    }


def remedy(text: str) -> str:
    """What is wrong with an input, as a sentence below it."""
    return f"This {text}."


def try_window(leads: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """Choose a past lead (our id, what it is), to see what the rules make of it."""
    if not leads:
        return _modal("route_try", "Try the rules", [section("There are no leads yet.")])
    options = [_option(label, str(lead_id)) for lead_id, label in leads]
    element: Element = {"type": "static_select", "action_id": LEAD, "options": options, "initial_option": options[0]}
    blocks = [
        _field(LEAD, "A past lead", element),
        small("Nothing is moved: you only see where it would go if it came now."),
    ]
    return _modal("route_try", "Try the rules", blocks) | {"submit": plain("Try")}


def result_window(
    label: str,
    tried: Sequence[Tried],
    names: Names,
    *,
    channel: str | None,
    rule: int | None,
    instead_of: str | None,
    ring: Sequence[str],
) -> dict[str, Any]:
    """Where a lead would go, and why: `rule` decides, None where no rule does; `instead_of` is closed."""
    number = next((one.number for one in tried if one.rule.id == rule), None)
    why = f"Rule {number} decides." if number is not None else "No rule fits; it goes where all other leads go."
    goes = f":pushpin: It would go to <#{channel}>. {why}" if channel else ":warning: It would wait: no channel is set."
    closed = [section(f":warning: <#{instead_of}> takes no leads now, so it goes elsewhere.")] if instead_of else []
    shown = [one for one in tried if number is None or one.number <= number]
    blocks = [
        {"type": "section", "text": plain(shorten(label, 200))},
        section(goes),
        *closed,
        *([section(f"It mentions {mention(ring)}.")] if mention(ring) else []),
        *(
            small(f"{_verdict(one, decides=one.rule.id == rule)} *{one.number}.* {rule_line(one.rule, names)}")
            for one in shown[:PAGE]
        ),
        *([small(f"And {len(shown) - PAGE} more that do not fit.")] if len(shown) > PAGE else []),
    ]
    return _modal("route_try", "Try the rules", blocks)


def _verdict(one: Tried, *, decides: bool) -> str:
    """A rule that fits and does not decide has a channel that is closed, or belongs to others; or it comes last of all."""
    if one.misfit is not None:
        return f"Does not fit ({_MISFITS[one.misfit]}):"
    return "Decides:" if decides else "Fits, and is passed over:"


def says(post: Post) -> dict[str, Any]:
    """Words in place of a window."""
    return _modal("settings_routes", "Where leads go", list(post.blocks))


def saved() -> dict[str, Any]:
    """In place of the form, where the list below could not be brought up to date."""
    return _modal("route_form", "Saved", [section(":white_check_mark: Saved. Open the list again to see it.")])


def _field(block_id: str, label: str, element: Element, *, optional: bool = False) -> Block:
    return {"type": "input", "block_id": block_id, "optional": optional, "label": plain(label), "element": element}


def _option(label: str, value: str) -> Element:
    return {"text": plain(shorten(label, _OPTION)), "value": value}


def _modal(callback_id: str, title: str, blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "close": plain("Close"),
        "blocks": blocks,
    }
