"""Who may change things here: the window of that part of the settings, and what those are told who may not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import Block, Element, plain, section, small
from bot.blocks.mrkdwn import mention, shorten, visible
from bot.blocks.posts import Post

PEOPLE, GROUPS = "people", "groups"
"""The two inputs; also their block_ids."""

MOST = 100
"""People and groups together. Slack lets so many people stand in one field, and more of them belong into a group."""

LISTED_GROUPS = 100  # https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element
_NAMED = 10
_LONGEST_OPTION = 75
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_GROUP = re.compile(r"S[A-Z0-9]{2,20}")

TOO_MANY = f"These are more than {MOST} in all. Allow a user group instead."
_ALWAYS = (
    "Workspace admins and the keepers may always connect, disconnect, pause, and change phone numbers and settings. "
    "Here you allow others to do it too."
)


@dataclass(frozen=True, kw_only=True)
class Keepers:
    """Who is told about trouble; `from_settings`: they are named in SLACK_KEEPERS."""

    ids: Sequence[str]
    from_settings: bool


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Whom a window allows, and whom it allowed when it was opened; `shown` holds only those that it could show."""

    shown: frozenset[str]
    chosen: tuple[str, ...]


def may_not(keepers: Sequence[str]) -> Post:
    """Somebody may not change things: whom to ask."""
    whom = " or ".join(filter(None, (mention([one]) for one in keepers[:_NAMED]))) or "a workspace admin"
    told = "Only workspace admins, keepers, and those whom they allow can do this."
    return Post(text=told, blocks=[section(f":lock: {told} Ask {whom}.")])


def not_asked() -> Post:
    """Slack was asked whether somebody is an admin, and did not answer."""
    told = "Slack did not say whether you may do this, so nothing was done. Try again in a minute."
    return Post(text=told, blocks=[section(f":hourglass: {told}")])


def keepers_line(keepers: Keepers) -> str:
    """The keepers in one line of mrkdwn."""
    if not keepers.ids:
        return "*Keepers:* none. Set SLACK_KEEPERS, so that somebody is told about trouble."
    more = len(keepers.ids) - _NAMED
    return f"*Keepers:* {mention(keepers.ids[:_NAMED])}" + (f" and {more} more" if more > 0 else "")


def people_window(keepers: Keepers, allowed: Sequence[str], groups: Mapping[str, str] | None) -> dict[str, Any]:
    """The window in which people and groups are allowed. `groups`: name by id; None where Slack did not say.

    Without groups to choose from their field is left out, and those that are allowed stay so.
    """
    people = [one for one in allowed if _PERSON.fullmatch(one)][:MOST]
    allowed_groups = [one for one in allowed if _GROUP.fullmatch(one)]
    options, chosen = ([], []) if groups is None else group_options(groups, allowed_groups)
    shown = [*people, *(option["value"] for option in chosen)]
    blocks = [
        section(_ALWAYS),
        section(keepers_line(keepers)),
        *([small("They are named in SLACK_KEEPERS.")] if keepers.from_settings else []),
        _people_field(people),
        *([_group_field(options, chosen)] if options else []),
        *_about_groups(groups, options),
    ]
    return _window(blocks) | {"submit": plain("Save"), "private_metadata": " ".join(shown)}


def saved_window(allowed: Sequence[str], *, changed: bool) -> dict[str, Any]:
    """What takes the window's place once it was submitted: who is allowed now."""
    now = mention(allowed) or "nobody else"
    told = "Saved." if changed else "Nothing was changed."
    return _window([section(f":white_check_mark: {told}"), section(f"Besides admins and keepers: {now}.")])


def submitted(view: Mapping[str, Any]) -> Allowed:
    """What a submitted window says, whatever is in it."""
    state = view.get("state") or {}
    values: Mapping[str, Any] = state.get("values") or {}
    people = (values.get(PEOPLE) or {}).get(PEOPLE) or {}
    groups = (values.get(GROUPS) or {}).get(GROUPS) or {}
    chosen = [
        *filter(_PERSON.fullmatch, people.get("selected_users") or ()),
        *filter(_GROUP.fullmatch, (option["value"] for option in groups.get("selected_options") or ())),
    ]
    return Allowed(
        shown=frozenset(str(view.get("private_metadata") or "").split()), chosen=tuple(dict.fromkeys(chosen))
    )


def group_options(groups: Mapping[str, str], allowed: Sequence[str]) -> tuple[list[Element], list[Element]]:
    """What there is to choose from, and what is chosen of it; an allowed group that is gone can still be taken away."""
    names = dict(sorted(groups.items(), key=lambda group: group[1].casefold()))
    names |= {one: f"{one} (disabled, or not visible)" for one in allowed if one not in names}
    first = sorted(names, key=lambda one: one not in allowed)[:LISTED_GROUPS]
    options = {
        one: {"text": plain(shorten(visible(name) or one, _LONGEST_OPTION)), "value": one}
        for one, name in names.items()
        if one in first
    }
    return list(options.values()), [options[one] for one in allowed if one in options]


def _people_field(people: Sequence[str]) -> Block:
    element: Element = {"type": "multi_users_select", "action_id": PEOPLE, "placeholder": plain("Choose people")}
    return _field(PEOPLE, "People", element | ({"initial_users": list(people)} if people else {}))


def _group_field(options: list[Element], chosen: list[Element]) -> Block:
    element: Element = {"type": "multi_static_select", "action_id": GROUPS, "placeholder": plain("Choose user groups")}
    element["options"] = options
    return _field(GROUPS, "User groups", element | ({"initial_options": chosen} if chosen else {}))


def _field(block_id: str, label: str, element: Element) -> Block:
    return {"type": "input", "block_id": block_id, "optional": True, "label": plain(label), "element": element}


def _about_groups(groups: Mapping[str, str] | None, options: Sequence[Element]) -> Iterable[Block]:
    if groups is None:
        yield small("Slack did not list the user groups just now. Those that are allowed stay so.")
    elif len(options) == LISTED_GROUPS:
        yield small(f"These are the first {LISTED_GROUPS} user groups.")


def _window(blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "settings_people",
        "title": plain("Who may change things"),
        "close": plain("Close"),
        "blocks": blocks,
    }
