"""Raw bodies: bytes to JSON, as forgiving as it can be without losing anything, and when two bodies are the same."""

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any

import orjson

from webhooks.thumbtack.errors import JsonError

MAX_DEPTH = 100
"""How deep a body may be nested. Thumbtack's own are 5 deep; every later reader of a body can rely on this bound."""

VOLATILE_V4 = ("event.triggeredAt", "event.webhookID")
"""What differs between two v4 deliveries of the same event: when, and by which subscription."""

_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"000000000")


def read_json(body: bytes) -> Any:
    """The JSON value in `body`; JsonError where there is none or it is nested deeper than `MAX_DEPTH`.

    Forgives what a webhook should not be lost for: a byte order mark, bytes that are not UTF-8 (they become U+FFFD),
    lone surrogates, raw control characters, NaN and Infinity (they become text) and numbers that no 64 bits hold
    (they become text, digit by digit).
    """
    try:
        value = _read_leniently(body) if _may_exceed_64_bits(body) else orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _read_leniently(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise JsonError
    return value


def body_hash(payload: Any, *, ignoring: Iterable[str] = ()) -> str:
    """A SHA-256 in hex that two bodies share exactly when they say the same, whatever the order of their keys.

    `payload` is what `read_json` gave. `ignoring` names what does not count, by dotted paths (`VOLATILE_V4`).
    """
    for path in ignoring:
        payload = _without(payload, path.split("."))
    try:
        canonical = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, which UTF-8 cannot hold; written as an escape it can
        canonical = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()


def _may_exceed_64_bits(body: bytes) -> bool:
    """Whether an integer may stand in it that orjson would make a float, and round.

    A translation and two searches take a tenth of the time of a regular expression; this runs for every webhook.
    """
    zeros = body.translate(_ALL_DIGITS_ZERO)
    return b"00000000000000000000" in zeros or b"-0000000000000000000" in zeros


def _read_leniently(body: bytes) -> Any:
    text = body.decode(json.detect_encoding(body), errors="replace")
    try:
        return json.loads(text, strict=False, parse_int=_integer, parse_float=_float, parse_constant=str)
    except (ValueError, RecursionError):
        raise JsonError from None  # the cause holds the whole body, which must not reach a log


def _integer(digits: str) -> int | str:
    if len(digits) > 20:
        return digits
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _is_deeper(value: Any, limit: int) -> bool:
    """Whether lists and objects stand in each other more than `limit` deep; level by level, so at any depth."""
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
    return bool(level)


def _children(parent: Any) -> Iterable[Any]:
    match parent:
        case dict():
            return parent.values()
        case list():
            return parent
        case _:
            return ()


def _without(payload: Any, path: list[str]) -> Any:
    """A copy without what stands at `path`; the original stays as it is."""
    head, *rest = path
    if not isinstance(payload, dict) or head not in payload:
        return payload
    if rest:
        return {**payload, head: _without(payload[head], rest)}
    return {key: value for key, value in payload.items() if key != head}
