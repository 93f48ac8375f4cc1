"""Posting leads in a channel that the bot was invited to: the offer, its window, and what is said then."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.blocks.kit import Block, Element, actions, button, plain, section, small, small_plain
from bot.blocks.mrkdwn import mention, shorten, visible
from bot.blocks.posts import Post
from bot.blocks.reading import filled
from storage.models import Business

WHICH = "which"
"""The input that says whose leads; also its block_id."""

ALL = "all"
"""What is chosen for all businesses that have no channel of their own."""

LISTED = 99  # Slack shows 100 options (docs.slack.dev/reference/block-kit/block-elements/select-menu-element)
_OPTION = 75

EVERYTHING_ELSE = "All businesses without a channel of their own"


def offer(channel_row: int, *, by: str | None) -> Post:
    """The one message in a channel that the bot was invited to; `by`: who invited it."""
    whom = mention([by]) if by else ""
    told = "Shall Thumbtack leads be posted in this channel?"
    blocks = [
        section(f":pushpin: {whom + ' ' if whom else ''}{told}"),
        actions([button("channel_leads_here", "Post leads here", channel_row, style="primary")]),
        small("Otherwise nothing is posted here."),
    ]
    return Post(text=told, blocks=blocks)


def window(businesses: Sequence[Business], *, channel_id: str, carried: str) -> dict[str, Any]:
    """Whose leads are posted there; `carried` comes back with what is submitted."""
    options = [_option(EVERYTHING_ELSE, ALL), *(_option(_name(one), str(one.id)) for one in businesses[:LISTED])]
    element: Element = {"type": "static_select", "action_id": WHICH, "options": options, "initial_option": options[0]}
    blocks: list[Block] = [
        section(f"New leads will be posted in <#{channel_id}>. Those posted elsewhere stay there."),
        {"type": "input", "block_id": WHICH, "label": plain("Whose leads?"), "element": element},
        small("A business chosen here has this channel to itself: no other business's leads come here."),
        *([small(f"These are the first {LISTED} businesses.")] if len(businesses) > LISTED else []),
    ]
    return _modal(blocks) | {"submit": plain("Post leads here"), "private_metadata": carried}


def picked(view: Mapping[str, Any]) -> str:
    """What was chosen: ALL, or the id of a business."""
    return filled(view, WHICH)


def posted_here(*, by: str, business: str | None) -> Post:
    """It was decided; `business` None: all that have no channel of their own."""
    whose = shorten(visible(business) or "One business", _OPTION) if business else EVERYTHING_ELSE
    told = "Leads are posted here from now on."
    blocks = [section(f":pushpin: {told}"), small_plain(whose), small(f"Decided by {mention([by])}.")]
    return Post(text=told, blocks=blocks)


def did_not_open() -> Post:
    """The window did not open in time."""
    told = "The window did not open in time. Press the button again."
    return Post(text=told, blocks=[section(told)])


GONE = "That business is not here any more. Choose another."
OTHERS_CHANNEL = "Some businesses have this channel for themselves. Choose one of them, or use another channel."


def _name(business: Business) -> str:
    return visible(business.name) or f"Business {business.thumbtack_id}"


def _option(label: str, value: str) -> Element:
    return {"text": plain(shorten(label, _OPTION)), "value": value}


def _modal(blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "channel_leads_here",
        "title": plain("Post leads here"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }
