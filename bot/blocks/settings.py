"""The list of what can be set in Slack, behind `/thumbtack settings`."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.blocks.kit import Block, button, plain, section
from bot.blocks.posts import Post


def parts_window(parts: Sequence[tuple[str, str, str]], *, channel: str | None) -> dict[str, Any]:
    """The list: (action_id, label, what it is about) of each part. `channel`: where the command was typed."""
    return _window([_part(*part) for part in parts]) | {"private_metadata": channel or ""}


def _part(action_id: str, label: str, told: str) -> Block:
    return section(f"*{label}*\n{told}") | {"accessory": button(action_id, "Open", action_id)}


def refused_window(refused: Post) -> dict[str, Any]:
    """For who may not change things any more: why."""
    return _window(list(refused.blocks))


def opened_from(view: Mapping[str, Any]) -> str | None:
    """The channel from which a list was opened."""
    found = view.get("private_metadata")
    return found if isinstance(found, str) and found else None


def did_not_open() -> Post:
    """For who asked for the window, where Slack did not show it: it must come within 3 s."""
    told = "The window did not open in time. Type `/thumbtack settings` again."
    return Post(text=told, blocks=[section(told)])


def _window(blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "settings_parts",
        "title": plain("Settings"),
        "close": plain("Close"),
        "blocks": blocks,
    }
