"""The writer's first name below what a customer reads, in the channels that ask for it."""

import re

_BEGINS = "\n– "
_LONGEST = 40
_SIGNED = re.compile(rf"{_BEGINS}[^\n]{{1,{_LONGEST}}}\Z")


def sign(text: str, first_name: str | None, *, longest: int) -> str:
    """The text with a name below it.

    As it is where nobody is to be named, where it ends with that name already, and where both together would be longer
    than `longest` characters: what was written comes first.
    """
    name = " ".join((first_name or "").split())[:_LONGEST]
    if not name or _ends_with(text, name) or len(text) + len(_BEGINS) + len(name) > longest:
        return text
    return f"{text}{_BEGINS}{name}"


def is_same(sent: str, text: str) -> bool:
    """Whether `sent` is this text, with or without a name below it."""
    return sent == text or (sent.startswith(text) and _SIGNED.fullmatch(sent[len(text) :]) is not None)


def _ends_with(text: str, name: str) -> bool:
    """Whether its writer signed it: the name stands by itself at the end, after a line, a sentence or a dash."""
    return re.search(rf"(?:\A|[\n.,;:!?*\-–—•◦▪])\s*{re.escape(name)}[\s.!]*\Z", text, re.IGNORECASE) is not None
