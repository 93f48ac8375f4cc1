"""Which business somebody means, from what they typed after a verb."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.models import Business


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The one business that is meant, or those between which the person must choose; `rest`: what else they typed."""

    business: Business | None
    choices: tuple[Business, ...]
    rest: str


def business(found: Sequence[Business], text: str) -> Chosen:
    """The business whose name, beginning of a name, or id the text starts with; the only one where there is one.

    Where the text names none of several, or begins the names of several, `choices` holds those to choose from.
    """
    typed = " ".join(text.split())
    best: list[Business] = []
    length = 0
    for one in found:
        fits = max((_words_in_common(typed, name) for name in (one.name or "", one.thumbtack_id)), default=0)
        if fits > length:
            best, length = [one], fits
        elif fits and fits == length:
            best.append(one)
    rest = " ".join(typed.split()[length:])
    if len(best) == 1:
        return Chosen(business=best[0], choices=(), rest=rest)
    if best:
        return Chosen(business=None, choices=tuple(best), rest=rest)
    if len(found) == 1:
        return Chosen(business=found[0], choices=(), rest=typed)
    return Chosen(business=None, choices=tuple(found), rest=typed)


def _words_in_common(typed: str, name: str) -> int:
    """How many of the first words are the same, whatever their case."""
    count = 0
    for said, called in zip(_plain(typed), _plain(name), strict=False):
        if said != called:
            break
        count += 1
    return count


def _plain(text: str) -> list[str]:
    """Its words, whatever their case and whichever apostrophe a keyboard makes."""
    return text.casefold().replace("’", "'").split()
