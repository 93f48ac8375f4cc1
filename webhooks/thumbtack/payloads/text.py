"""Text from outside, cleaned in one place so that every database takes it and every reader can read it."""

import html
import math
import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL; UTF-8 has no lone surrogates
_NEWLINE = re.compile(r"\r\n?")

# Only entities that end in a semicolon: html.unescape alone would also read `&copy` in `?a=1&copy=2`, and an address
# that a customer wrote would no longer work. Whoever escapes by machine writes the semicolon.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD, so that UTF-8 and PostgreSQL take it."""
    return _UNSTORABLE.sub("\ufffd", text)


def decoded(text: str) -> str:
    """The text with HTML entities decoded once: `&amp;lt;` becomes `&lt;`, which is what was escaped."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def plain(value: Any) -> str | None:
    """A JSON value as text, for codes, ids, phones, prices and addresses of files; None where there is no text.

    Numbers and booleans become the text that JSON writes for them; null, lists, objects and blank text become None.
    CRLF and CR become LF, and outer blanks go.
    """
    text = _as_text(value)
    return None if text is None else _tidy(storable(text))


def prose(value: Any) -> str | None:
    """Like `plain`, with HTML entities decoded once, for what people wrote and what is read by people.

    Thumbtack escapes answers (`I&#39;m not sure`, seen in real deliveries), and nothing says which other texts it
    escapes. Decoding text that was not escaped changes it only where somebody typed an entity by hand; not decoding
    shows every apostrophe as `&#39;`.
    """
    text = _as_text(value)
    return None if text is None else _tidy(storable(decoded(storable(text))))


def _tidy(text: str) -> str | None:
    return _NEWLINE.sub("\n", text).strip() or None


def _as_text(value: Any) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case _:
            return None
