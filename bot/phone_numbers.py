r"""Reads phone numbers the way people type them, one with its name or many at once, and says line by line what is wrong.

Thumbtack takes `^\+1\d{1,14}$` (its API reference, associate-phone-numbers): the United States and the countries that
share its code, such as Canada. Nothing here keeps or shows what was typed: a refusal is a code.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.blocks.mrkdwn import visible
from bot.lazily import lazily

phonenumbers = lazily("phonenumbers")

REGION = "US"
LONGEST_NAME = 100
"""Characters. Thumbtack publishes no limit; a name longer than this is most likely a line that was read wrongly."""

_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")  # pasted from contacts
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_LINKED = re.compile(r"<tel:([^|>]*)(?:\|([^>]*))?>|\btel:", re.IGNORECASE)  # as Slack may write a number
_BULLET = re.compile(r"\s*(?:\d{1,2}[.)]\s+|[•*-]\s+)")
_RUN = re.compile(r"(?<!\w)[+(/]*\d[\d\s()./+-]*")
_TOKEN = re.compile(r"\S+")
_EXTENSION = re.compile(r"\s*[,;]?\s*(?:extension|extn?|x|#)\s*[.:=]?\s*\d{1,7}\b", re.IGNORECASE)
_ABROAD = re.compile(r"\+|00|011$")
_GLUED = re.compile(r"\d[-.)]*[^\W\d_]|[^\W\d_][-.(]*\d")  # letters among digits: 1-800-FLOWERS, 253-O1O1
_EXISTS = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")  # the North American Numbering Plan's area codes and exchanges
_AROUND = " \t,;:|=/<>[]\"'-"

_DELIMITERS = "\t;,"
_NUMBER_COLUMN = re.compile(r"phone|number|mobile|cell|\btel", re.IGNORECASE)
_NAME_COLUMN = re.compile(r"name|label|person|who", re.IGNORECASE)


class Wrong(StrEnum):
    """Why something is not taken."""

    NO_NUMBER = "no_number"
    TWO_NUMBERS = "two_numbers"
    LETTERS = "letters"
    EXTENSION = "extension"
    COUNTRY = "country"
    SHORT = "short"
    LONG = "long"
    IMPOSSIBLE = "impossible"
    NAME_TOO_LONG = "name_too_long"
    TWICE = "twice"  # in the same text
    REGISTERED = "registered"  # already


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A number (E.164) and what it shall be called; `line` counts from 1."""

    number: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    line: int = 1


@dataclass(frozen=True, kw_only=True)
class WrongLine:
    """A line that is not taken. `other`: the line that says the same; `name`: what the number is called already."""

    line: int
    why: Wrong
    other: int | None = None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """What a longer text holds, in its order. Where `wrong` is not empty, nothing of it is to be sent."""

    entries: tuple[Entry, ...]
    wrong: tuple[WrongLine, ...]


def national(number: str) -> str:
    """A number as people in the United States write it, `(650) 253-0101`; one that cannot be read is left as it is."""
    try:
        parsed = phonenumbers.parse(number, REGION)
    except phonenumbers.NumberParseException:
        return number
    form = phonenumbers.PhoneNumberFormat
    at_home = parsed.country_code == 1 and phonenumbers.is_possible_number(parsed)
    written: str = phonenumbers.format_number(parsed, form.NATIONAL if at_home else form.INTERNATIONAL)
    return written


def normal(number: str) -> str:
    """The number as E.164, to compare it with others; one that cannot be read is compared as it is."""
    try:
        parsed = phonenumbers.parse(number, REGION)
    except phonenumbers.NumberParseException:
        return number
    written: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return written


def read(text: str) -> Entry | Wrong:
    """One number with its name before or after it, or without one."""
    tidy = _tidy(text)
    found = _found(tidy)
    if not found:
        return _why_none(tidy)
    if len(found) > 1:
        return Wrong.TWO_NUMBERS
    start, end, number = found[0]
    if _EXTENSION.match(tidy, end):
        return Wrong.EXTENSION
    name = visible(" ".join(filter(None, (tidy[:start].strip(_AROUND), tidy[end:].strip(_AROUND)))))
    if name is not None and not any(character.isalnum() and not character.isdigit() for character in name):
        if any(character.isdigit() for character in name):
            return Wrong.LONG  # more digits than the number has, and no name
        name = name if any(unicodedata.category(character) == "So" for character in name) else None
    return Wrong.NAME_TOO_LONG if name and len(name) > LONGEST_NAME else Entry(number=number, name=name)


def read_name(text: str) -> str | Wrong | None:
    """What a number shall be called; None where nothing can be seen."""
    name = visible(" ".join(text.split()))
    return Wrong.NAME_TOO_LONG if name and len(name) > LONGEST_NAME else name


def read_bulk(text: str, *, registered: Mapping[str, str | None] | None = None) -> Bulk:
    """Many numbers: one a line, or a table (commas, semicolons, tabs, quotes), with or without a line of headings.

    `registered`: numbers that are there already, with what they are called. Lines without anything are left out.
    """
    entries: list[Entry] = []
    wrong: list[WrongLine] = []
    lines: dict[str, int] = {}
    for line, read_as in _read_lines(text):
        if isinstance(read_as, Wrong):
            wrong.append(WrongLine(line=line, why=read_as))
        elif read_as.number in lines:
            wrong.append(WrongLine(line=line, why=Wrong.TWICE, other=lines[read_as.number]))
        elif registered is not None and read_as.number in registered:
            wrong.append(WrongLine(line=line, why=Wrong.REGISTERED, name=registered[read_as.number]))
        else:
            entries.append(Entry(number=read_as.number, name=read_as.name, line=line))
        if isinstance(read_as, Entry):
            lines.setdefault(read_as.number, line)
    return Bulk(entries=tuple(entries), wrong=tuple(wrong))


# One number


def _tidy(text: str) -> str:
    linked = _LINKED.sub(lambda link: link[2] or link[1] or "", unicodedata.normalize("NFKC", text))
    plain = _DASHES.sub("-", _UNSEEN.sub("", linked))
    return _BULLET.sub("", " ".join(plain.split()), count=1) if _BULLET.match(plain) else " ".join(plain.split())


def _found(text: str) -> list[tuple[int, int, str]]:
    """Where numbers stand that Thumbtack takes, as E.164; of several readings of one place, the longest."""
    found: list[tuple[int, int, str]] = []
    for run in _RUN.finditer(text):
        tokens = [(run.start() + token.start(), run.start() + token.end()) for token in _TOKEN.finditer(run[0])]
        if _is_glued(text, run.end()) and not _EXTENSION.match(text, run.end()):
            tokens.pop()
        first = 0
        while first < len(tokens):
            last, number = _longest(text, tokens, first)
            if number is not None:
                found.append((tokens[first][0], tokens[last][1], number))
            elif _ABROAD.match(text[slice(*tokens[first])]):
                break  # what follows another country's code is no number of its own
            first = last + 1
    return found


def _longest(text: str, tokens: Sequence[tuple[int, int]], first: int) -> tuple[int, str | None]:
    """The last token of the longest number that begins at `first`; `first` itself where none does."""
    best: tuple[int, str | None] = (first, None)
    for last in range(first, len(tokens)):
        written = text[tokens[first][0] : tokens[last][1]]
        digits = sum(character.isdigit() for character in written)
        if digits > 11:
            break
        if digits >= 10 and (number := _number(written)) is not None:
            best = (last, number)
    return best


def _number(written: str) -> str | None:
    """Digits and signs as E.164, where they are a number that can exist under +1."""
    plus = written.strip("(/ ").startswith("+")
    if written.count("+") > plus:
        return None
    digits = "".join(character for character in written if character.isdigit())
    try:
        parsed = phonenumbers.parse(f"+{digits}" if plus else digits, REGION)
    except phonenumbers.NumberParseException:
        return None
    number: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    is_whole = len(digits) == (11 if plus or digits.startswith("1") else 10)
    return number if is_whole and _EXISTS.fullmatch(number) and phonenumbers.is_possible_number(parsed) else None


def _why_none(text: str) -> Wrong:
    """What keeps the longest row of digits from being a number that Thumbtack takes."""
    runs = sorted((run[0] for run in _RUN.finditer(text)), key=_digits, reverse=True)
    written = runs[0].strip("(/ ") if runs else ""
    count, is_glued = _digits(written), _GLUED.search(text) is not None
    if _is_abroad(written):
        return Wrong.COUNTRY
    if count < 3:
        return Wrong.NO_NUMBER
    if is_glued and count <= 11:
        return Wrong.LETTERS
    if count == 10 or (count == 11 and "".join(filter(str.isdigit, written)).startswith("1")):
        return Wrong.IMPOSSIBLE
    return Wrong.SHORT if count < 10 else Wrong.LONG


def _is_abroad(written: str) -> bool:
    """Whether it begins as people dial another country: +44, 0044, or 011 44 as from the United States."""
    digits = "".join(character for character in written if character.isdigit())
    if written.startswith("+"):
        return not digits.startswith("1")
    if len(digits) < 11:
        return False
    if digits.startswith("011"):
        return not digits.startswith("0111")
    return digits.startswith("00") and not digits.startswith("001")


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _is_glued(text: str, end: int) -> bool:
    """Whether a letter follows the last digits directly, so that they are part of a word."""
    return end < len(text) and text[end].isalnum() and not text[end - 1].isspace()


# Many numbers


def _read_lines(text: str) -> Iterator[tuple[int, Entry | Wrong]]:
    columns: _Columns | None = None
    is_first = True
    for line, written in enumerate(re.split(r"\r\n?|\n", text), start=1):
        if visible(written) is None:
            continue
        columns = _headings(written) if is_first else columns
        if is_first and columns is not None:
            is_first = False
            continue
        is_first = False
        yield line, _read_row(_fields(written), columns) if columns is not None else _read_line(written)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Which columns of a table hold numbers and names."""

    numbers: tuple[int, ...]
    names: tuple[int, ...]


def _headings(written: str) -> _Columns | None:
    """The columns that a first line names; None where it is a line like the others."""
    fields = _fields(written)
    numbers = tuple(at for at, name in enumerate(fields) if _NUMBER_COLUMN.search(name))
    if not numbers or _found(_tidy(written)):
        return None
    if any(_digits(fields[at]) > 1 or len(fields[at]) > 40 for at in numbers):
        return None
    names = tuple(at for at, name in enumerate(fields) if at not in numbers and _NAME_COLUMN.search(name))
    return _Columns(numbers=numbers, names=names)


def _fields(written: str) -> list[str]:
    """The cells of a line, without the quotes around them."""
    delimiter = next((sign for sign in _DELIMITERS if sign in written), ",")
    tidy = written.replace("\0", "\ufffd")
    return [cell.strip() for cell in next(csv.reader([tidy], delimiter=delimiter, skipinitialspace=True), [])]


def _read_row(fields: Sequence[str], columns: _Columns) -> Entry | Wrong:
    """A line of a table with headings: the first of its number columns that holds something."""
    written = next((fields[at] for at in columns.numbers if at < len(fields) and visible(fields[at])), "")
    entry = read(written)
    if isinstance(entry, Wrong):
        return entry
    name = read_name(" ".join(fields[at] for at in columns.names if at < len(fields)))
    return name if isinstance(name, Wrong) else Entry(number=entry.number, name=name or entry.name)


def _read_line(written: str) -> Entry | Wrong:
    """A line without headings: a number in a cell of its own, or a number somewhere in the line."""
    fields = _fields(written)
    alone = [at for at, cell in enumerate(fields) if _is_number(cell)]
    if len(alone) > 1:
        return Wrong.TWO_NUMBERS
    if len(fields) == 1 or not alone:
        return read(written.replace("\t", " ").replace('"', " "))
    entry = read(fields[alone[0]])
    joined = (", " if "," in written else " ").join(cell for at, cell in enumerate(fields) if at != alone[0] and cell)
    name = read_name(joined)
    if isinstance(entry, Wrong) or isinstance(name, Wrong):
        return entry if isinstance(entry, Wrong) else Wrong.NAME_TOO_LONG
    return Entry(number=entry.number, name=name)


def _is_number(cell: str) -> bool:
    entry = read(cell)
    return isinstance(entry, Entry) and entry.name is None
