"""What Slack makes of text, and how text from outside stays text.

Slack reads markup in three ways, and this decides where a customer's words may stand:

- *mrkdwn* (text objects of type `mrkdwn`, and a message's `text` without blocks) has escapes for `& < >` alone. `*`, `_`,
  `~`, a backtick, `>` at a line's start and `:name:` cannot be escaped, and bare URLs and e-mail addresses become links
  (https://docs.slack.dev/messaging/formatting-message-text). So a customer's words never stand in mrkdwn blocks.
- *rich_text* elements of type `text` are shown as they are: no mention, link, emoji code, quote or list is found in them
  (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block). Here a customer's words stand.
- *plain_text* with `emoji: false` is shown as it is too, where rich_text is not allowed (headers, context, modals).

A message's own `text` is read in notifications only, because every post has blocks; it is escaped, so that nobody is
mentioned by it. Addresses that a customer typed can therefore be read and copied but not clicked, on purpose.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# Marks that turn the direction of the text around them, which would also turn ours. Those that say only the direction
# of a letter (U+200E, U+200F) are part of ordinary Hebrew and Arabic and stay.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")

_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_BREAKS = tuple(
    re.compile(pattern)
    for pattern in (r"\n\s*\n", r"\n", r"[.!?\u2026][\"'\u201d\u2019)\]]*\s+|[\u3002\uff01\uff1f]", r"\s")
)
_HALF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of them make a flag
_SHORTEST_LIMIT = 16
_USER = re.compile(r"[UW][A-Z0-9]+")
_GROUP = re.compile(r"S[A-Z0-9]+")


def _is_plain(text: str) -> bool:
    """Whether it is one line of ASCII, as most of the sixty texts that a card asks about: all but blanks can be seen."""
    return text.isascii() and text.isprintable()


def clean(text: str) -> str:
    """The text without what is no text: one kind of line end, no control characters, nothing that turns direction."""
    if _is_plain(text):
        return text
    return _CONTROL.sub("\ufffd", _TURNING.sub("", _LINE_END.sub("\n", text)))


def visible(text: str | None) -> str | None:
    """The cleaned text without outer blanks; None where nobody would see anything (Slack refuses empty text)."""
    if text is None or _is_plain(text):
        return (text or "").strip() or None
    cleaned = clean(text).strip()
    seen = any(unicodedata.category(character)[0] in "LNPS" for character in cleaned)
    return cleaned if seen else None


def escape(text: str) -> str:
    """The text for a place where Slack reads mrkdwn: its three control characters as entities."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """The text if it has at most `limit` characters, else its beginning with an ellipsis that shows the cut."""
    if len(text) <= limit:
        return text
    return text[: _within(text, 0, limit - 1)].rstrip() + "…"


def split(text: str, limit: int) -> list[str]:
    """Cut a text into pieces of at most `limit` characters; joined again they are the text.

    A piece ends after a paragraph, else a line, a sentence, a word; a word that is too long is cut between two things
    that a reader sees as one each, never inside an entity (`&amp;`) or an emoji of several characters.
    """
    if limit < _SHORTEST_LIMIT:
        raise ValueError(f"pieces of {limit} characters cannot be cut at safe points")
    pieces = []
    start = 0
    while len(text) - start > limit:
        end = _after_break(text, start, limit) or _within(text, start, limit)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]] if start < len(text) else pieces


def _after_break(text: str, start: int, limit: int) -> int | None:
    window = text[start : start + limit]
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(window, limit // 3)]
        if ends:
            return start + ends[-1]
    return None


def _within(text: str, start: int, limit: int) -> int:
    """The last safe place to cut at most `limit` characters after `start`, always after `start`."""
    end = start + limit
    for entity in _ENTITY.finditer(text, max(start, end - 5), end + 5):
        if entity.start() < end < entity.end():
            end = entity.start()
    floor = max(start + 1, end - 32)  # longer clusters than any real emoji are cut
    for place in range(end, floor, -1):
        if _may_cut(text, place):
            return place
    return end if end > start else start + limit


def _may_cut(text: str, place: int) -> bool:
    after, before = text[place], text[place - 1]
    before_place = text[max(0, place - 64) : place]
    joined = "\u200d" in (after, before)
    skin_tone = "\U0001f3fb" <= after <= "\U0001f3ff"
    half_flags = len(before_place) - len(before_place.rstrip(_HALF_FLAGS)) if after in _HALF_FLAGS else 0
    surrogates = "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"
    return not (joined or skin_tone or half_flags % 2 or surrogates or unicodedata.category(after).startswith("M"))


def mention(ids: Iterable[str]) -> str:
    """Slack's markup that notifies these people (U…, W…) and groups (S…); other ids are no one's and are left out."""
    return " ".join(filter(None, map(_mention, ids)))


def _mention(slack_id: str) -> str:
    if _USER.fullmatch(slack_id):
        return f"<@{slack_id}>"
    return f"<!subteam^{slack_id}>" if _GROUP.fullmatch(slack_id) else ""


def date(instant: datetime, style: str = "{date_short_pretty} at {time}") -> str:
    """Slack's markup for an instant: each reader sees it in their own time zone; UTC where Slack cannot show it."""
    if instant.tzinfo is None:
        raise ValueError(f"naive time {instant!r}: only instants can be shown")
    fallback = instant.astimezone(UTC).strftime("%b %d, %Y at %H:%M UTC")
    return f"<!date^{int(instant.timestamp())}^{style}|{fallback}>"
