"""Thumbtack's points in time as instants."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]{1,17}(?:\.[0-9]{1,9})?")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,20})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SMALLEST_MILLISECONDS = 1e11  # as seconds this is the year 5138, as milliseconds 1973


def epoch(value: Any) -> datetime | None:
    """A Unix time, as a number or as text, as an aware UTC instant; None where it cannot be one.

    The Pro API sends seconds for leads and messages, milliseconds for reviews; which of the two it is shows in the
    magnitude. Nothing at Thumbtack happened in 1970 or before, nor after the year 9999.
    """
    number = _number(value)
    if number is None or number <= 0:
        return None
    milliseconds = number if number >= _SMALLEST_MILLISECONDS else number * 1000
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):  # the latter is NaN
        return None


def instant(value: Any) -> datetime | None:
    """A time as RFC 3339 words it (v4 sends these), as an aware UTC instant; None where it cannot be one.

    Without an offset it is UTC; a fraction of a second may have up to 20 digits.
    """
    text = value.strip().upper() if isinstance(value, str) else ""
    if _RFC3339.fullmatch(text) is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None


def _number(value: Any) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case str() if _NUMBER.fullmatch(value.strip()):
            return float(value)
        case _:
            return None
