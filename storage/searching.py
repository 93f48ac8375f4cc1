"""Finding leads: those that are open, somebody's own, unanswered, or a customer's of whom one knows a little."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.database import Transaction
from storage.models import Business, Customer, Lead, LeadOutcome, Thread
from storage.states import OVER

Item = TypeVar("Item")

MOST_WORDS = 6
"""How many words of a text are looked for; nobody types more of a name and a city."""

FEWEST_DIGITS, OF_A_NUMBER = 3, 10
"""Fewer digits are no part of a phone number; of more than ten the first are a country's, which may not be stored."""

_MARKS = "()-.+/ \u00a0\u2011\u2013"
_NUMBER = re.compile(rf"[\d{re.escape(_MARKS)}]+")
_AROUND_WORDS = ",;:!?\"'“”()[]"


class Which(StrEnum):
    """Which leads are looked for."""

    OPEN = "open"  # nobody said what became of it, nor did Thumbtack end it
    MINE = "mine"  # open ones that `user` has
    UNANSWERED = "unanswered"  # their customers wait for us
    TEXT = "text"  # finished ones too


@dataclass(frozen=True, kw_only=True)
class Search:
    """What somebody looks for. `user`: whose leads are MINE; `text`: name, city or phone number, or some of each."""

    which: Which
    user: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A lead with whose it is, and the card below which it is worked."""

    lead: Lead
    customer: Customer | None
    business: Business | None
    thread: Thread


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """Some of what was found. `number`: which page it is, from 0; `first`: how many come before; `total`: of all pages."""

    found: Sequence[Item]
    number: int
    first: int
    total: int

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.first + len(self.found) < self.total


def page_of(everything: Sequence[Item], *, number: int, size: int) -> Page[Item]:
    """One page of what is at hand; behind the last page is the last."""
    number = _within(number, len(everything), size)
    first = number * size
    return Page(found=everything[first : first + size], number=number, first=first, total=len(everything))


def _within(number: int, total: int, size: int) -> int:
    return max(0, min(number, (total - 1) // size))


async def find(
    tx: Transaction,
    search: Search,
    *,
    channels: Collection[str],
    number: int,
    size: int,
    longest_waiting_first: bool = False,
) -> Page[Found]:
    """One page of the leads whose cards stand in these channels, the newest first; behind the last page is the last.

    A lead is found where its newest card stands; one that has none yet is nowhere.
    """
    if not channels:
        return page_of((), number=0, size=size)
    total = (await tx.execute(_narrowed(select(func.count(col(Lead.id))), search, channels))).scalar_one()
    number = _within(number, total, size)
    order = [col(Lead.waiting_since)] if longest_waiting_first else []
    query = _narrowed(select(Lead, Thread, Customer, Business), search, channels).order_by(*order, col(Lead.id).desc())
    rows = (await tx.execute(query.limit(size).offset(number * size))).all()
    return Page(
        found=[Found(lead=lead, thread=card, customer=whose, business=at) for lead, card, whose, at in rows],
        number=number,
        first=number * size,
        total=total,
    )


def _narrowed(query: Any, search: Search, channels: Collection[str]) -> Any:
    """A SELECT, of whatever columns, of what is looked for, where it may be looked at."""
    later = aliased(Thread)
    newer = select(col(later.id)).where(col(later.lead_id) == col(Lead.id), col(later.id) > col(Thread.id))
    return (
        query.select_from(Lead)
        .join(Thread, col(Thread.lead_id) == col(Lead.id))
        .outerjoin(Customer, col(Customer.id) == col(Lead.customer_id))
        .outerjoin(Business, col(Business.id) == col(Lead.business_id))
        .where(col(Lead.joined_id).is_(None), col(Thread.channel).in_(channels), ~newer.exists())
        .where(*_conditions(search))
    )


def _conditions(search: Search) -> Iterator[ColumnElement[bool]]:
    going_on = func.lower(func.coalesce(col(Lead.status), "")).not_in(OVER)
    match search.which:
        case Which.OPEN:
            yield from (col(Lead.outcome).is_(None), going_on)
        case Which.MINE:
            yield from (col(Lead.owner) == search.user, col(Lead.outcome).is_(None), going_on)
        case Which.UNANSWERED:
            over = col(Lead.outcome).in_((LeadOutcome.LOST, LeadOutcome.CLOSED))
            yield from (col(Lead.waiting_since).is_not(None), or_(col(Lead.outcome).is_(None), ~over), going_on)
        case Which.TEXT:
            yield from _text(search.text)


def _text(text: str) -> Iterator[ColumnElement[bool]]:
    """A phone number, as a whole; else every word is to be in the name, the city or the number."""
    typed = unicodedata.normalize("NFC", text).strip()
    if (number := _number(typed)) is not None:
        yield number
        return
    words = [word for word in (word.strip(_AROUND_WORDS) for word in typed.split()) if word]
    if not words:
        yield false()
    for word in words[:MOST_WORDS]:
        named = [_has(column, word) for column in (col(Customer.name), col(Lead.city))]
        dialled = _number(word)
        yield or_(*named, *([] if dialled is None else [dialled]))


def _has(column: Any, word: str) -> ColumnElement[bool]:
    """Whether a column holds the word in any case; SQLite knows the cases of ASCII letters alone."""
    spelled = {word, word.lower(), word.upper(), word.title()}
    return or_(*(column.icontains(one, autoescape=True) for one in sorted(spelled)))


def _number(typed: str) -> ColumnElement[bool] | None:
    """Whether the customer's phone has these digits, in whichever way both are written; None for no number."""
    digits = "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
    if len(digits) < FEWEST_DIGITS or not _NUMBER.fullmatch(typed):
        return None
    stored: Any = col(Customer.phone)
    for mark in _MARKS:
        stored = func.replace(stored, mark, "")
    held: ColumnElement[bool] = stored.contains(digits[-OF_A_NUMBER:])
    return held
