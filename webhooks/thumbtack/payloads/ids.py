"""The ids in a body, read cheaply before it is acknowledged."""

import hashlib
from dataclasses import dataclass
from typing import Any

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.payloads.text import storable

_LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Ids:
    """What a body is about: `object_id` names the lead, message or review that it brings or changes."""

    object_id: str
    lead_id: str | None = None
    business_id: str | None = None


def read_id(value: Any) -> str | None:
    """An id as text; None where it is missing: null, blank, or neither text nor integer.

    Thumbtack's ids have 18 or 19 digits. Databases refuse to index very long text, and a body must not be refused for
    it, so an id longer than 200 characters is cut and ends in its hash: the same id stays the same text.
    """
    if isinstance(value, str) and len(value) <= _LONGEST and value.isalnum():
        return value  # as nearly all are: nothing in it that would be replaced or goes
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = storable(str(value)).strip()
    if len(text) > _LONGEST:
        return f"{text[:100]}…{hashlib.sha256(text.encode()).hexdigest()}"
    return text or None


def required_id(value: Any) -> str:
    """Like `read_id`; a missing id is a ShapeError."""
    found = read_id(value)
    if found is None:
        raise ShapeError
    return found


def child(value: Any, name: str) -> dict[str, Any]:
    """The object of that name inside `value`; an empty one where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
