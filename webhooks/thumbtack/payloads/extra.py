"""What a body holds beyond what we read, made fit for PostgreSQL's JSONB, so that nothing is lost with the raw body."""

import json
import math
from typing import Any

from webhooks.thumbtack.payloads.text import storable

_DEEPEST = 20


def jsonb_safe(value: Any, depth: int = 0) -> Any:
    """The JSON value as every database takes it, nothing left out.

    NUL and lone surrogates become U+FFFD, also in keys; NaN, infinities and integers beyond 64 bits become text; what
    is nested deeper than 20 levels becomes its JSON text.
    """
    match value:
        case str():
            return storable(value)
        case int() | float():
            return value if _fits(value) else str(value)
        case dict() | list() if depth >= _DEEPEST:
            return _as_text(value)
        case dict():
            return {storable(key): jsonb_safe(inner, depth + 1) for key, inner in value.items()}
        case list():
            return [jsonb_safe(inner, depth + 1) for inner in value]
        case _:
            return value


def _fits(number: float) -> bool:
    return math.isfinite(number) if isinstance(number, float) else -(2**63) <= number < 2**63


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:  # only a value that did not come through read_json can be so deep
        return "…"
