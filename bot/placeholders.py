"""What stands in braces in a saved reply, and the prose that it becomes for one lead.

What is not known leaves a sentence that reads well all the same: "Hi {first_name}, we do {category} in {city}." becomes
"Hi, we do Gutter Cleaning in your area.", never "Hi , we do Gutter Cleaning in .". What the values say is never read as a placeholder.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bot.blocks.mrkdwn import clean, shorten
from storage.models import Business, Customer, Lead


class Placeholder(StrEnum):
    """What may stand in braces."""

    FIRST_NAME = "first_name"
    CATEGORY = "category"
    CITY = "city"
    MY_NAME = "my_name"
    BUSINESS = "business"


_BY_NAME = {one.value: one for one in Placeholder}

LONGEST_VALUE = 80
_LONGEST_FIRST_NAME = 40

_BRACES = re.compile(r"\{([^{}\n]*)\}")
_ODD_BRACE = re.compile(r"[{}]")

# What stands around a word that is not known.
_DETERMINED = re.compile(r"\b(?:your|the|a|an|this|that|our|my|any|some)[ \t]+\Z", re.IGNORECASE)
_LINKS = re.compile(r"(?:\b(?:for|from|of|about|with|to|by)[ \t]+)+\Z", re.IGNORECASE)
_NEXT_WORD = re.compile(r"[ \t]+\w")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_LINE_BEGINS = re.compile(r"(?:\A|\n)[ \t]*[-\u2013\u2014~]?[ \t]*\Z")
_LINE_ENDS = re.compile(r"[ \t.!]*(?:\n|\Z)")
_SENTENCE_BEGINS = re.compile(r"(?:\A|[.!?\n])[\s\"'(\u201c]*\Z")

_STAND_INS: Mapping[Placeholder, tuple[str, str]] = MappingProxyType(
    {
        Placeholder.CATEGORY: ("request", "your request"),
        Placeholder.CITY: ("area", "your area"),
        Placeholder.BUSINESS: ("team", "our team"),
    }
)
"""What is said instead of what it was: after "your" or "the", and elsewhere. Nobody's name has one."""

_OWNED = {Placeholder.FIRST_NAME: "your", Placeholder.BUSINESS: "our", Placeholder.MY_NAME: "my"}
"""What "{first_name}'s" becomes."""

_GAP = "\ue000"  # of Unicode's private use: where something was left out, until the sentence is mended
_SEVERAL = re.compile(rf"{_GAP}(?:[ \t]*(?:,|&|and\b)?[ \t]*{_GAP})+")
_OWN_LINE = re.compile(rf"^[ \t]*[-\u2013\u2014~]?[ \t]*{_GAP}[ \t.!]*$\n?", re.MULTILINE)
_SENTENCE_CONTINUES = re.compile(rf"((?:\A|[\n.!?])[ \t]*){_GAP}[ \t]*[,;:.!?]*[ \t]*(\w?)")  # "{{first_name}}, thanks"
_MENDS = (
    (re.compile(rf"\b[Dd]ear[ \t]+{_GAP}"), "Hello"),
    (re.compile(rf"[ \t]*(?:\([ \t]*{_GAP}[ \t]*\)|\"{_GAP}\"|\u201c{_GAP}\u201d)"), _GAP),
    (re.compile(rf",[ \t]*{_GAP}[ \t]*(?=[,.!?;:\n]|\Z)"), ""),  # "Thank you, {{first_name}}!"
    (re.compile(rf"[ \t]*{_GAP}[ \t]*(?=[,.!?;:)\n]|\Z)"), ""),  # before a sign there is no blank
    (re.compile(rf"(?<!\S){_GAP}[ \t]*"), ""),
    (re.compile(rf"[ \t]*{_GAP}[ \t]*"), " "),
)

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "rev"})
_NOT_PEOPLE = re.compile(
    r"(?<![\w'-])(?:llc|inc|ltd|corp|co|company|companies|services?|group|realty|property|properties|management|apartments?"
    r"|hoa|church|school|university|agency|associates|solutions|enterprises|rentals?|studio|restaurant|cafe|hotel|clinic"
    r"|bank|office|team|family|the|and|customer|client|guest|unknown|test|thumbtack|user|anonymous|none|null|na"
    r"|homeowner|tenant|landlord)(?![\w'-])",
    re.IGNORECASE,
)
"""Words that are in the names of companies and couples, or of nobody."""
_PARTICLES = frozenset({"de", "del", "della", "der", "di", "da", "dos", "du", "la", "le", "van", "von", "el"})
"""With these a surname begins."""
_NAME = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*")
_SUFFIXES = re.compile(r"(?:jr|sr|ii|iii|iv|dds|md|phd|esq|cpa|rn)\.?", re.IGNORECASE)


def unknown(text: str) -> tuple[str, ...]:
    """What stands in braces, or half in braces, and means nothing here; as it was written, each once."""
    odd = [found.group() for found in _BRACES.finditer(text) if _named(found.group(1)) is None]
    rest = _BRACES.sub(" ", text)
    odd += [found.group() for found in _ODD_BRACE.finditer(rest)]
    return tuple(dict.fromkeys(odd))


def used(text: str) -> frozenset[Placeholder]:
    """Which placeholders stand in a text."""
    return frozenset(found for braces in _BRACES.finditer(text) if (found := _named(braces.group(1))) is not None)


def of_lead(lead: Lead, customer: Customer | None, business: Business | None) -> dict[Placeholder, str | None]:
    """What is known of a lead, by what stands for it; who writes is not among it."""
    return {
        Placeholder.FIRST_NAME: first_name(customer.name if customer else None),
        Placeholder.CATEGORY: lead.category or lead.title,
        Placeholder.CITY: lead.city,
        Placeholder.BUSINESS: business.name if business else None,
    }


def filled(text: str, values: Mapping[Placeholder, str | None]) -> str:
    """The text for one lead; what is not known is left out or said in general, and the sentence mended.

    What is in braces and means nothing stays as it is: such a text is not saved.
    """
    told = {name: _value(values.get(name)) for name in Placeholder}
    pieces: list[str] = []
    at = 0
    for found in _BRACES.finditer(text):
        name = _named(found.group(1))
        if name is None:
            continue
        pieces.append(text[at : found.start()])
        at = found.end()
        if (value := told[name]) is not None:
            pieces.append(value)
            continue
        at += _leave_out(name, pieces, text[at:])
    return _mended("".join([*pieces, text[at:]]))


def _named(written: str) -> Placeholder | None:
    """People write { First Name } too."""
    name = re.sub(r"[\s_-]+", "_", written.strip().casefold())
    return _BY_NAME.get(name)


def _value(value: str | None) -> str | None:
    """A value as it may stand in a sentence: one line, not endless; None where there is nothing to see."""
    line = " ".join(clean(value or "").replace(_GAP, "").split())
    seen = any(unicodedata.category(sign)[0] in "LN" for sign in line) and line.casefold() not in {"n/a", "none"}
    return shorten(line, LONGEST_VALUE) if seen else None


def _leave_out(name: Placeholder, pieces: list[str], after: str) -> int:
    """Put something in place of a word, at the end of `pieces`; returns how many characters of `after` go with it."""
    before = "".join(pieces)
    owned = _POSSESSIVE.match(after)
    gone = owned.end() if owned else 0
    if owned and name in _OWNED:
        said = _OWNED[name]
    elif name not in _STAND_INS or (_LINE_BEGINS.search(before) and _LINE_ENDS.match(after)):
        before, said = _LINKS.sub("", before), _GAP
    elif _DETERMINED.search(before):
        said = _GAP if _NEXT_WORD.match(after, gone) else _STAND_INS[name][0]
    else:
        said = _STAND_INS[name][1]
    pieces[:] = [before, _raised(said) if _SENTENCE_BEGINS.search(before) else said]
    return gone


def _mended(said: str) -> str:
    """The sentence without gaps."""
    said = _OWN_LINE.sub("", _SEVERAL.sub(_GAP, said))
    said = _SENTENCE_CONTINUES.sub(lambda found: found[1] + found[2].upper(), said)
    for pattern, instead in _MENDS:
        said = pattern.sub(instead, said)
    return said.strip()


def _raised(said: str) -> str:
    return said[:1].upper() + said[1:]


def first_name(full: str | None) -> str | None:
    """By what a customer is greeted; None where their name does not tell.

    An initial is no name ("D. Trump"), nor is a surname behind a title, nor a company's or a couple's first word:
    then nobody is greeted wrongly.
    """
    words = _words(full)
    if words is None:
        return None
    is_titled = bool(words) and words[0].rstrip(".").casefold() in _TITLES
    if is_titled:
        words = words[1:]
        if len(words) < 2:
            return None
    if not words or words[0].casefold() in _PARTICLES or _NOT_PEOPLE.search(" ".join(words)):
        return None
    return _as_name(words[0], of=words)


def _words(full: str | None) -> list[str] | None:
    """The words of a name, the given one first; None for what is no one person's name."""
    name = " ".join(clean(full or "").split())
    if not name or any(sign in name for sign in "&+/@:") or any(sign.isdigit() for sign in name):
        return None
    last, comma, rest = name.partition(",")
    if not comma or _SUFFIXES.fullmatch(rest.strip()):
        return last.split()
    return rest.split() if len(last.split()) == 1 else None  # "Alvarez, Maya"; not "Maya Alvarez, Realtor"


def _as_name(word: str, *, of: list[str]) -> str | None:
    bare = word.strip("\"'()[]\u2018\u2019\u201c\u201d*_~,;")
    if not _NAME.fullmatch(bare) or len(bare) > _LONGEST_FIRST_NAME:
        return None
    if bare.upper() == bare.lower():  # a script without capitals: the family name may stand first
        return " ".join(of) if len(of) == 1 or len(bare) == 1 else bare
    if all(len(part) == 1 for part in re.split(r"[.'\u2019-]", bare)):
        return None
    has_case = bare not in (bare.lower(), bare.upper())
    is_short = len(bare) == 2 and bare.isupper()
    return bare if has_case or is_short else re.sub(r"[^\W\d_]+", lambda part: part.group().capitalize(), bare)
