"""Saved replies, and the automatic first one: the list of them in the settings, and the window for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import Block, actions, button, divider, plain, section, small
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.reading import filled, row_id
from bot.placeholders import Placeholder

FORM = "saved_form"
NAME, TEXT = "saved_name", "saved_text"
"""The inputs: block_id and action_id alike."""

LONGEST_NAME = 75
LONGEST = 2_000
"""Characters of a text. Slack's inputs take 3,000, and what placeholders stand for must have room."""

_SHOWN = 160
_NAMED = 5

MEANINGS: Mapping[Placeholder, str] = {
    Placeholder.FIRST_NAME: "the customer's first name",
    Placeholder.CATEGORY: "what they ask for",
    Placeholder.CITY: "where",
    Placeholder.MY_NAME: "who sends it",
    Placeholder.BUSINESS: "the business",
}

NO_NAME = "Give it a name, so that the team finds it."
NO_TEXT = "Write the text."
A_NOTE = "This begins like a note to the team, which never goes to customers."
NAME_TAKEN = "There is one with this name. Choose another."
GONE = "Somebody deleted it meanwhile. Close this, and add it again."


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A saved reply as the list shows it."""

    reply_id: int
    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """What was written in the window for one; `reply_id` is 0 for a new one."""

    reply_id: int
    name: str
    text: str


def list_window(replies: Sequence[Saved], *, most: int, first_on: Sequence[str]) -> dict[str, Any]:
    """The list. `most`: how many there can be; `first_on`: the businesses that have the automatic first reply on."""
    told = (
        "*Saved replies*\nTexts that the team answers with. The button *Saved replies* on a lead's card opens them, to be "
        "changed before they are sent."
    )
    add = [actions([button("saved_add", "Add a reply", 0, style="primary")])] if len(replies) < most else []
    full = [] if add else [small(f"These are {most}. Delete one before you add another.")]
    blocks = [_first(first_on), divider(), section(told), *add, *full, *map(_listed, replies)]
    return {
        "type": "modal",
        "callback_id": "saved_list",
        "title": plain("Saved replies"),
        "close": plain("Close"),
        "blocks": blocks,
    }


def _listed(reply: Saved) -> Block:
    text = shorten(" ".join((visible(reply.text) or "").split()), _SHOWN)
    shown = {"type": "section", "text": plain(f"{visible(reply.name) or '?'}\n{text}")}
    return shown | {"accessory": button("saved_edit", "Edit", reply.reply_id)}


def _first(on: Sequence[str]) -> Block:
    told = "*Automatic first reply*\nGoes out by itself when nobody has answered a new lead for a minute."
    names = [escape(shorten(visible(name) or "A business", LONGEST_NAME)) for name in on[:_NAMED]]
    more = f" and {len(on) - _NAMED} more" if len(on) > _NAMED else ""
    state = f"On for {', '.join(names)}{more}." if names else "Off."
    return section(f"{told}\n{state}") | {"accessory": button("first_open", "Open", 0)}


def form_window(reply: Saved | None) -> dict[str, Any]:
    """The window for a new reply, or for one that there is."""
    blocks = [
        _input(NAME, "Name", longest=LONGEST_NAME, value=reply.name if reply else ""),
        _input(TEXT, "Text", longest=LONGEST, value=reply.text if reply else "", multiline=True),
        small(placeholders_line(MEANINGS)),
        *([actions([_delete(reply.reply_id)])] if reply else []),
    ]
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": str(reply.reply_id) if reply else "",
        "title": plain("Saved reply"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def placeholders_line(of: Mapping[Placeholder, str]) -> str:
    """Which placeholders there are, in one line of mrkdwn."""
    told = ", ".join(f"`{{{name}}}` {means}" for name, means in of.items())
    return f"Filled in for each lead: {told}. What is not known is left out."


def unknown(odd: Sequence[str], of: Mapping[Placeholder, str]) -> str:
    """What is wrong with a text that has these in it."""
    known = ", ".join(f"{{{name}}}" for name in of)
    listed = ", ".join(shorten(one, 40) for one in odd[:3])
    return f"Nothing stands for {listed}. There are {known}."


def too_many(most: int) -> str:
    """Why there is no room for another."""
    return f"There are {most} already. Delete one first."


def deleted_window(name: str) -> dict[str, Any]:
    """What takes the place of the window for a reply that was deleted in it."""
    told = {"type": "section", "text": plain(f"Deleted: {shorten(visible(name) or 'the reply', LONGEST_NAME)}")}
    return {"type": "modal", "title": plain("Saved reply"), "close": plain("Back"), "blocks": [told]}


def submitted(view: Mapping[str, Any]) -> Submitted:
    """What a submitted window says, whatever is in it."""
    name = " ".join(filled(view, NAME).split())[:LONGEST_NAME]
    return Submitted(reply_id=row_id(view.get("private_metadata")), name=name, text=filled(view, TEXT).strip())


def _delete(reply_id: int) -> dict[str, Any]:
    asked = {
        "title": plain("Delete it?"),
        "text": plain("Nobody on the team can send it any more."),
        "confirm": plain("Delete"),
        "deny": plain("Keep"),
        "style": "danger",
    }
    return button("saved_delete", "Delete", reply_id, style="danger") | {"confirm": asked}


def _input(name: str, label: str, *, longest: int, value: str, multiline: bool = False) -> Block:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": name, "max_length": longest}
    element |= {"multiline": True} if multiline else {}
    element |= {"initial_value": value} if value else {}
    return {"type": "input", "block_id": name, "label": plain(label), "element": element}
