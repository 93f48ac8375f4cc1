"""Whether what a person wrote in a lead's thread goes to the customer: when in doubt, it does not.

The one thing that must never happen is that a customer reads what was meant for the team. So every way of reading a
message is asked: its text, its rich text, each without what it quotes, with and without emoji. If one of them begins
like a note, the message is a note. What only resembles a note ("note; …", "ntoe: …", "note to self: …", "internal: …",
or a note on a later line) is asked about. "Note that we come at 9" and "Note, we come at 9" are sentences and go out.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bot.plaintext import decoded, leaves, to_plain

LONGEST = 16_384
"""Characters that Thumbtack takes in one message (POST /v4/negotiations/{negotiationID}/messages)."""


class Disposition(StrEnum):
    """What becomes of a person's message."""

    SEND = "send"
    NOTE = "note"  # stays inside
    QUIET = "quiet"  # stays inside: quiet mode, and it does not begin with "send:"
    ASK_NOTE = "ask_note"  # stays inside with a Send button: it resembles a note
    ASK_MENTION = "ask_mention"  # likewise: it mentions somebody in Slack
    ASK_ONLY_EMOJI = "ask_only_emoji"  # likewise: nothing but emoji, signs or links to Slack
    FILE_ALONE = "file_alone"  # cannot go out: there is no text
    FILE_WITH_TEXT = "file_with_text"  # its writer is asked whether the text alone may go
    TOO_LONG = "too_long"  # cannot go out
    EMPTY = "empty"  # nothing to see


_SEND = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]*send[^\S\n]*[:\uff1a]\s*", re.IGNORECASE)

# What may stand before a note: any signs, a number or letter of a list, or the word that asks to send.
_LEAD = r"(?:[^\w]|\d{1,4}[.):]|[a-z][.)]|[ivx]{2,5}[.)]|send:)*?"
_MARK = r"(?://|;;|note[:\-\])}])"
_NOTE = re.compile(_LEAD + _MARK)
_NOTE_BELOW = re.compile("^" + _LEAD.replace(r"[^\w]", r"[^\w\n]") + _MARK, re.MULTILINE)

# A letter too few, too many, in the wrong place, or beside the right key; and the word in Spanish.
_SLIPS = r"ntoe|noet|onte|ote|nte|noe|not|nnote|noote|notte|notee|[bhjm]ote|n[ip0]te|no[ry]e|not[wr3]|notas?"  # codespell:ignore noe,te
_END = r"[^\S\n]*[:;\-)\]}]"
_LIKE_A_NOTE = re.compile(
    _LEAD + r"(?:notes?[^\S\n]*(?:[^\w\s,'\"\u2018-\u201f]|\n|\Z)"
    rf"|(?:{_SLIPS})[^\S\n]*:|notes?[^\S\n]+(?:to|for)\b[^\n:-]{{1,60}}[:-]"
    rf"|internal{_END}|(?:internal|team|staff|office|private)[ -]*(?:notes?|only){_END})"
)

# Signs that people take for a colon, a slash or a hyphen, and that NFKC leaves alone.
_LOOKALIKES = {0x2236: ":", 0xA789: ":", 0x02D0: ":", 0x05C3: ":", 0x2044: "/", 0x2215: "/", 0x2212: "-"}
_QUOTES_AND_EMPHASIS = frozenset("*_'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a")

_EMOJI_CODE = re.compile(r":[^\s:<>]+:(?:skin-tone-[2-6]:)?")
_EMOJI_APART = re.compile(r"(?<!\w)" + _EMOJI_CODE.pattern)
_EMOJI_SEQUENCE = re.compile(r"[0-9#*]\ufe0f?\u20e3|.\ufe0f")
_MENTION = re.compile(r"<(?:[@#]|!(?!date\^))")
_TYPED_MENTION = re.compile(r"(?<![\w@.])@(?:here|channel|everyone)\b|\A\W*@[^\W\d]", re.IGNORECASE)
_SLACK_LINK = re.compile(
    r"(?<![\w.-])(?:(?:https?://)?(?:[\w-]{1,63}\.){0,4}slack(?:-files)?\.com(?:[/?#:]\S*)?|slack://\S*)", re.IGNORECASE
)
_UNDERSTOOD = frozenset({"text", "link", "emoji", "date", "color"})


class _Squashed(dict[int, str]):
    """A table for str.translate that leaves letters, numbers and punctuation, every dash as a hyphen."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        kept = "-" if category == "Pd" else character
        self[code] = kept if category[0] in "LNP" and character not in _QUOTES_AND_EMPHASIS else ""
        return self[code]


class _Flat(dict[int, str]):
    """A table for str.translate that drops what nobody sees, and signs and emoji, but keeps words apart."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isspace():
            self[code] = "\n" if character in "\n\r\u2028\u2029" else " "
        elif unicodedata.category(character) in ("So", "Sk", "Cf", "Cc", "Mn", "Me"):
            self[code] = ""
        else:
            self[code] = "-" if unicodedata.category(character) == "Pd" else character
        return self[code]


_SQUASHED = _Squashed(_LOOKALIKES)
_SQUASHED_LINES = _Squashed(_LOOKALIKES | {ord("\n"): "\n"})
_FLAT = _Flat(_LOOKALIKES | dict.fromkeys(map(ord, "*_"), ""))


def disposition(text: str | None, blocks: Any, *, files: bool, quiet: bool) -> Disposition:
    """Decide what becomes of a message.

    `text` and `blocks` are Slack's, or what was written in the modal and nothing; `files`: something is attached;
    `quiet`: only what begins with "send:" goes out.
    """
    plain = to_plain(text, blocks, {})
    if any(map(_is_note, _readings(text, blocks))):
        return Disposition.NOTE
    if quiet and not _SEND.match(plain):
        return Disposition.QUIET
    said = without_send(plain)
    if not _visible(said):
        return Disposition.FILE_ALONE if files else Disposition.EMPTY
    if (doubt := _doubt(text, blocks, said)) is not None:
        return doubt
    if len(said) > LONGEST:
        return Disposition.TOO_LONG
    return Disposition.FILE_WITH_TEXT if files else Disposition.SEND


def without_send(plain: str) -> str:
    """The text that goes out: without the `send:` that may stand before it."""
    return _SEND.sub("", plain, count=1).strip() if _SEND.match(plain) else plain


def _doubt(text: str | None, blocks: Any, said: str) -> Disposition | None:
    if any(map(_resembles_a_note, _readings(text, blocks))):
        return Disposition.ASK_NOTE
    if _mentions(text, blocks, said):
        return Disposition.ASK_MENTION
    return None if _says_something(text, blocks) else Disposition.ASK_ONLY_EMOJI


def _readings(text: str | None, blocks: Any) -> Iterable[str]:
    """Every way to read a message, each with and without its emoji."""
    in_text = to_plain(text, None, {})
    unquoted = [line for line in in_text.split("\n") if not line.lstrip().startswith(">")]
    beside_quotes = "".join(str(leaf.get("text") or "") for leaf in leaves(blocks, quotes=False))
    written = (text or "", in_text, "\n".join(unquoted), to_plain("", blocks, {}), beside_quotes)
    return dict.fromkeys(reading for words in written for reading in _without_emoji(decoded(words)))


def _without_emoji(reading: str) -> tuple[str, ...]:
    """What is left without emoji, by each meaning of colons: in `note:1:30 call` they belong to no emoji."""
    bare = _EMOJI_SEQUENCE.sub("", reading)
    return (reading, bare, _EMOJI_APART.sub("", bare), _EMOJI_CODE.sub("", bare))


def _is_note(reading: str) -> bool:
    """As the team is taught: `note:` first, whatever signs, blanks, emphasis and emoji stand before or inside it."""
    without_signs = "".join(c for c in reading if unicodedata.category(c) not in ("So", "Sk"))
    return any(_NOTE.match(_folded(version).translate(_SQUASHED)) for version in (reading, without_signs))


def _folded(reading: str) -> str:
    """Letters as they are compared: of any width and case, and without accents, which stand apart then."""
    return unicodedata.normalize("NFKD", reading).casefold()


def _resembles_a_note(reading: str) -> bool:
    folded = _folded(reading)
    if _NOTE_BELOW.search(folded.translate(_SQUASHED_LINES)):
        return True
    return _LIKE_A_NOTE.match(folded.translate(_FLAT).strip()) is not None


def _mentions(text: str | None, blocks: Any, said: str) -> bool:
    """Whether it names a person, group or channel of Slack, or holds something of Slack that we cannot read."""
    if _MENTION.search(text or "") or _TYPED_MENTION.search(said):
        return True
    return any(leaf.get("type") not in _UNDERSTOOD for leaf in leaves(blocks))


def _says_something(text: str | None, blocks: Any) -> bool:
    """Whether a letter or number is left without emoji and links to Slack."""
    said = "".join(map(_said, leaves(blocks))) if to_plain("", blocks, {}) else to_plain(text, None, {})
    left = _SLACK_LINK.sub("", _EMOJI_SEQUENCE.sub("", _EMOJI_CODE.sub("", without_send(said))))
    return any(unicodedata.category(character)[0] in "LN" for character in left)


def _said(leaf: dict[str, Any]) -> str:
    if leaf.get("type") == "emoji":
        return ""
    if leaf.get("type") == "link" and _is_of_slack(str(leaf.get("url") or "")):
        return ""
    return str(leaf.get("text") or leaf.get("url") or leaf.get("fallback") or "")


def _is_of_slack(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # an address that cannot be read leads nowhere
        return False
    return url.startswith("slack:") or f".{host}".endswith((".slack.com", ".slack-files.com"))


def _visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)
