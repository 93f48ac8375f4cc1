"""The windows that open over Slack."""

from collections.abc import Mapping
from typing import Any

from bot.blocks.kit import Block, line, plain, rich, section, small_plain, words
from bot.blocks.leads import RepliesGo
from bot.blocks.mrkdwn import mention, shorten, visible
from bot.blocks.posts import Post
from bot.blocks.reading import filled
from bot.plaintext import decoded

REPLY_BLOCK = "reply"
REPLY_INPUT = "text"
LONGEST_REPLY = 3_000
"""Slack's limit for a text input (https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element)."""

HELD_BY = "held_by"
"""The block_id of the line that says who else has the lead."""

_OF_A_VIEW = (
    "type",
    "callback_id",
    "private_metadata",
    "title",
    "close",
    "blocks",
    "notify_on_close",
    "clear_on_close",
)
_WHY_NOT = {
    RepliesGo.INSIDE: "Corkboard has no Thumbtack credentials for this business. Answer in Thumbtack instead.",
    RepliesGo.TEST: "This is a test delivery of Thumbtack's: nobody would read an answer.",
    RepliesGo.STAGING: "This lead is from Thumbtack's other environment. Answer it there.",
}


def reply_modal(
    lead_id: int,
    *,
    headline: str,
    customer_name: str | None,
    mode: RepliesGo,
    signed: bool = False,
    held_by: str | None = None,
) -> dict[str, Any]:
    """The window behind the Reply button. `headline` says which lead it is, escaped as a card's text is.

    Where nothing can be sent it has no input and says why: the button may be older than that. `signed`: the writer's
    first name goes below what they write. `held_by`: somebody else who has the lead (a Slack user id).
    """
    about = small_plain(shorten(decoded(headline), 300))
    if mode in _WHY_NOT:
        return _modal("Reply", [about, rich(line(words(_WHY_NOT[mode])))], lead_id)
    name = shorten(visible(customer_name) or "the customer", 80)
    held = [_held(held_by)] if held_by else []
    return _modal("Reply to customer", [about, *held, _input(name, signed=signed)], lead_id) | {"submit": plain("Send")}


def _held(owner: str) -> Block:
    return section(f":raising_hand: {mention([owner])} has this lead.") | {"block_id": HELD_BY}


def says_who_has_it(view: Mapping[str, Any]) -> bool:
    """Whether a submitted window told that somebody else has the lead: who sends it then, means it."""
    return any(block.get("block_id") == HELD_BY for block in view.get("blocks") or [])


def held_meanwhile(view: Mapping[str, Any], text: str, owner: str) -> dict[str, Any]:
    """The same window, telling that somebody has taken the lead since it was opened."""
    return warned(view, text, warning=_held(owner))


def warned(view: Mapping[str, Any], text: str, *, warning: Block) -> dict[str, Any]:
    """The same window with a warning above its text input, and what was written still in it."""
    same = {name: view[name] for name in _OF_A_VIEW if view.get(name) is not None}
    blocks: list[Block] = []
    for block in same["blocks"]:
        is_input = block.get("block_id") == REPLY_BLOCK
        blocks += [warning, block | {"element": block["element"] | {"initial_value": text}}] if is_input else [block]
    return same | {"blocks": blocks, "submit": plain("Send anyway")}


def written(view: Mapping[str, Any]) -> str:
    """What was written in a submitted reply window, whatever its input is called.

    Slack keeps what stands in an input of the same name, so that each saved reply comes in one of another name.
    """
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    inputs = values.get(REPLY_BLOCK) if isinstance(values, Mapping) else None
    named = [name for name in inputs if str(name).startswith(REPLY_INPUT)] if isinstance(inputs, Mapping) else []
    return filled(view, REPLY_BLOCK, named[0]) if named else ""


def did_not_open() -> Post:
    """For who pressed Reply, where Slack did not show the window: it must come within 3 s of the press."""
    told = "The window did not open in time. Press Reply again."
    return Post(text=told, blocks=[section(told)])


def _modal(title: str, blocks: list[Block], lead_id: int) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "reply_modal",
        "private_metadata": str(lead_id),
        "title": plain(title),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def _input(name: str, *, signed: bool) -> Block:
    return {
        "type": "input",
        "block_id": REPLY_BLOCK,
        "label": plain(f"Message to {name}"),
        "hint": plain(f"The customer gets exactly this text{', with your first name below it' if signed else ''}."),
        "element": {
            "type": "plain_text_input",
            "action_id": REPLY_INPUT,
            "multiline": True,
            "max_length": LONGEST_REPLY,
            "focus_on_load": True,
        },
    }
