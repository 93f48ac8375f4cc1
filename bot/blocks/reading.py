"""What people pressed and filled in, read from what Slack sends back; whatever is in it, reading does not fail."""

from collections.abc import Mapping
from typing import Any

_DIGITS = 18
"""Our ids are 64-bit numbers; no database of ours counts further than this."""


def row_id(value: object) -> int:
    """Our own id, which a button, a menu or a window carries; 0, which is no row's, for what is not ours."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


def filled(view: Mapping[str, Any], block_id: str, action_id: str | None = None) -> str:
    """What was written or picked in an input of a submitted window; empty where there is nothing.

    `action_id`: where the input has another one than its block.
    """
    found: Any = view
    for name in ("state", "values", block_id, action_id or block_id):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        return ""
    picked = found.get("selected_option")
    value = picked.get("value") if isinstance(picked, Mapping) else found.get("value")
    return value if isinstance(value, str) else ""
