"""The reply window with a saved reply in it: a menu of them, and the chosen one's text, to be changed before it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import Block, Element, plain, small
from bot.blocks.modals import LONGEST_REPLY, REPLY_BLOCK, REPLY_INPUT
from bot.blocks.mrkdwn import shorten, visible

PICK = "saved_pick"
"""The menu; also its block_id."""

NONE_YET = "There are no saved replies yet. Whoever may change settings can add them: `/thumbtack settings`."
_LONGEST_OPTION = 75


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A saved reply in the menu."""

    reply_id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The one that stands in the window, as it reads for this lead; `turn` is another for each time one is chosen."""

    reply_id: int
    text: str
    turn: str


def with_saved(window: dict[str, Any], choices: Sequence[Choice], chosen: Chosen | None) -> dict[str, Any]:
    """A reply window with the menu above its input; as it is where it has none, because nothing can be sent."""
    if not any(block.get("block_id") == REPLY_BLOCK for block in window["blocks"]):
        return window
    blocks: list[Block] = []
    for block in window["blocks"]:
        if block.get("block_id") != REPLY_BLOCK:
            blocks.append(block)
            continue
        blocks.append(_menu(choices, chosen) if choices else small(NONE_YET))
        blocks.append(block if chosen is None else block | {"element": _filled(block["element"], chosen)})
    return window | {"blocks": blocks}


def _menu(choices: Sequence[Choice], chosen: Chosen | None) -> Block:
    options = [
        {"text": plain(shorten(visible(one.name) or "?", _LONGEST_OPTION)), "value": str(one.reply_id)}
        for one in choices
    ]
    menu: Element = {"type": "static_select", "action_id": PICK, "placeholder": plain("Choose"), "options": options}
    initial = [one for one in options if chosen is not None and one["value"] == str(chosen.reply_id)]
    return {
        "type": "section",
        "block_id": PICK,
        "text": plain("Saved reply"),
        "accessory": menu | ({"initial_option": initial[0]} if initial else {}),
    }


def _filled(element: Element, chosen: Chosen) -> Element:
    """Slack keeps what was written in an input of the same name, so each text comes in one of its own."""
    named = {"action_id": f"{REPLY_INPUT}:{chosen.turn}"}
    return element | named | {"initial_value": shorten(chosen.text, LONGEST_REPLY)}
