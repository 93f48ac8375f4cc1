"""The windows that open over Slack."""

from typing import Any

from bot.blocks.kit import Block, line, plain, rich, section, small_plain, words
from bot.blocks.leads import RepliesGo
from bot.blocks.mrkdwn import shorten, visible
from bot.blocks.posts import Post
from bot.plaintext import decoded

REPLY_BLOCK = "reply"
REPLY_INPUT = "text"
LONGEST_REPLY = 3_000
"""Slack's limit for a text input (https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element)."""

_WHY_NOT = {
    RepliesGo.INSIDE: "Corkboard has no Thumbtack credentials for this business. Answer in Thumbtack instead.",
    RepliesGo.TEST: "This is a test delivery of Thumbtack's: nobody would read an answer.",
    RepliesGo.STAGING: "This lead is from Thumbtack's other environment. Answer it there.",
}


def reply_modal(lead_id: int, *, headline: str, customer_name: str | None, mode: RepliesGo) -> dict[str, Any]:
    """The window behind the Reply button. `headline` says which lead it is, escaped as a card's text is.

    Where nothing can be sent it has no input and says why: the button may be older than that.
    """
    about = small_plain(shorten(decoded(headline), 300))
    if mode in _WHY_NOT:
        return _modal("Reply", [about, rich(line(words(_WHY_NOT[mode])))], lead_id)
    name = shorten(visible(customer_name) or "the customer", 80)
    return _modal("Reply to customer", [about, _input(name)], lead_id) | {"submit": plain("Send")}


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


def _input(name: str) -> Block:
    return {
        "type": "input",
        "block_id": REPLY_BLOCK,
        "label": plain(f"Message to {name}"),
        "hint": plain("The customer gets exactly this text."),
        "element": {
            "type": "plain_text_input",
            "action_id": REPLY_INPUT,
            "multiline": True,
            "max_length": LONGEST_REPLY,
            "focus_on_load": True,
        },
    }
