"""About phone numbers and e-mail addresses in replies: the warning in a window, and never being asked again."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import modals
from bot.blocks.kit import actions, button, section
from bot.blocks.posts import Post

WARNING = "contact_warning"
"""The block_id of the warning. Where it stands the writer has read it, and what they submit then goes out."""

BLOCKED = "Phone numbers and e-mail addresses do not go out from this channel. Take them out of the text."

_TOLD = "This carries a phone number or an e-mail address. Thumbtack discourages that in messages."


def is_warned(view: Mapping[str, Any]) -> bool:
    """Whether a submitted window showed the warning."""
    return any(block.get("block_id") == WARNING for block in view.get("blocks") or [])


def warned(view: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The same window with the warning above its text input, and what was written still in it."""
    return modals.warned(view, text, warning=section(f":warning: {_TOLD}") | {"block_id": WARNING})


def not_asked_again(message_id: int) -> Post:
    """What replaces the question once somebody said that they do not want to be asked again."""
    told = "Sending it. You are not asked about phone numbers and e-mail addresses any more."
    return Post(text=told, blocks=[section(told), actions([button("contact_ask", "Ask me again", message_id)])])


def asked_again() -> Post:
    """What replaces that once they want to be asked after all."""
    told = "You are asked again before a phone number or an e-mail address goes out."
    return Post(text=told, blocks=[section(told)])
