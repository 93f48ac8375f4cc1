"""How often something may be done: a bucket in a row, shared by all replicas, that fills at a rate and holds a few at most.

A bucket is one number, the instant from which the next may go (as in the generic cell rate algorithm): each one that goes
moves it on by the interval, and it never lies further back than the bucket is deep. What goes late is made up for, so that
a backlog drains at the full rate. See docs/decisions/0022.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Insert, Table, and_, bindparam, case, func, or_, select
from sqlmodel import col

from storage.columns import UtcDateTime
from storage.database import Transaction
from storage.inserting import ByDialect
from storage.models import Lane
from storage.prepared import Prepared

METHOD, PERSON = "method:", "person:"
"""How the keys of rows begin that bound all calls of a method of Slack's, and all direct messages to a person."""

TOO_FAR = 120_000_000
"""Microseconds. No bucket says so much: it was the clock that was set back, and nobody shall wait for it."""

DEBT = 60_000_000
"""Likewise. How far ahead a bucket is emptied at most by who goes on with what they began; further calls add nothing to it."""

ROWS: Table = Lane.__table__  # type: ignore[attr-defined]  # SQLModel does not tell of it
"""Written to without the ORM, which takes longer for it than the database."""

NOW, NOW_US = bindparam("now", type_=UtcDateTime), bindparam("now_us", type_=BigInteger)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One each `interval` on the average, and `burst` of them at once after a while of nothing."""

    interval: timedelta
    burst: int = 1


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One may go. `held`: it is a trial, and the next one waits for its outcome (see `storage.lanes`)."""

    held: bool


def method_key(method: str) -> str:
    """The row of a method of Slack's, for all calls of it in the workspace."""
    return METHOD + method


def person_key(user_id: str) -> str:
    """The row of the conversation with a person."""
    return PERSON + user_id


def micros(at: datetime) -> int:
    """An instant as the rows keep it: whole microseconds, which both databases can add up."""
    return round(at.timestamp() * 1_000_000)


def instant(us: int, like: datetime) -> datetime:
    """Likewise back, in the time zone of another one."""
    return datetime.fromtimestamp(us / 1_000_000, like.tzinfo)


def is_open(row: Any = Lane) -> ColumnElement[bool]:
    """Whether one may go now by this row (`now`, `now_us`); one that is not there yet bounds nothing."""
    free: ColumnElement[bool] = or_(col(row.free_us).is_(None), *_is_free(row))
    return and_(_is_permitted(row), free)


def _is_permitted(row: Any) -> ColumnElement[bool]:
    return or_(col(row.next_at).is_(None), col(row.next_at) <= NOW)


def _is_free(row: Any) -> tuple[ColumnElement[bool], ...]:
    return col(row.free_us) <= NOW_US, col(row.free_us) > NOW_US + TOO_FAR


async def take(
    tx: Transaction, key: str, rate: Rate, *, now: datetime, outcome_by: datetime | None = None, in_debt: bool = False
) -> Taken | None:
    """Take one out of a bucket; None where it is empty, or nobody may go yet: nothing is changed then.

    Another replica that takes at the same time waits until this transaction ends. `outcome_by`: until when the next one
    waits, where this one is a trial. `in_debt`: from an empty one too, which then stays empty for longer.
    """
    interval = rate.interval // timedelta(microseconds=1)
    now_us = micros(now)
    take_one = (BORROW if in_debt else TAKE).of(tx)
    found = await take_one.first(
        tx,
        key=key,
        now=now,
        now_us=now_us,
        interval=interval,
        outcome_by=outcome_by or now,
        floor=now_us - interval * (rate.burst - 1),
    )
    return None if found is None else Taken(held=found.held)


async def next_at(tx: Transaction, key: str, *, now: datetime) -> datetime:
    """When one may go by this row; now, where that is so."""
    found = await ROW.first(tx, of=key)
    if found is None:
        return now
    free = instant(found.free_us, now) if found.free_us <= micros(now) + TOO_FAR else now
    return max(now, free, found.next_at or now)


async def quiet(tx: Transaction, key: str, until: datetime) -> None:
    """Nobody does it before `until`; a later time that stands already is kept."""
    await QUIET.of(tx).changed(tx, key=key, until=until)


def _take(insert: Any, *, in_debt: bool = False) -> Insert:
    """The statement for a dialect: the two inserts share no base that knows conflicts."""
    interval, floor = bindparam("interval", type_=BigInteger), bindparam("floor", type_=BigInteger)
    outcome_by = bindparam("outcome_by", type_=UtcDateTime)
    statement = insert(ROWS).values(key=bindparam("key"), held=False, free_us=floor + interval)
    latest = NOW_US + DEBT if in_debt else NOW_US
    is_ahead = and_(col(Lane.free_us) > floor, col(Lane.free_us) <= latest)
    is_deepest = and_(col(Lane.free_us) > latest - interval, col(Lane.free_us) <= NOW_US + TOO_FAR)
    moved: Any = case((is_ahead, col(Lane.free_us)), else_=floor) + interval
    taken: Insert = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "free_us": case((is_deepest, col(Lane.free_us)), else_=moved) if in_debt else moved,
            "next_at": case((col(Lane.held), outcome_by), else_=col(Lane.next_at)),
        },
        where=_is_permitted(Lane) if in_debt else is_open(),
    ).returning(col(Lane.held))
    return taken


def _quiet(insert: Any) -> Insert:
    until = bindparam("until", type_=UtcDateTime)
    later = case((col(Lane.next_at) > until, col(Lane.next_at)), else_=until)
    statement = insert(ROWS).values(key=bindparam("key"), next_at=until, held=False)
    kept: Insert = statement.on_conflict_do_update(index_elements=["key"], set_={"next_at": later})
    return kept


# Built once: that takes ten times as long as running them.
TAKE = ByDialect(lambda insert: Prepared(_take(insert)))
BORROW = ByDialect(lambda insert: Prepared(_take(insert, in_debt=True)))
QUIET = ByDialect(lambda insert: Prepared(_quiet(insert)))
ROW = Prepared(select(ROWS.c.free_us, ROWS.c.next_at).where(col(Lane.key) == bindparam("of")))
FIRST_FREE = func.min(
    case((and_(col(Lane.free_us) > NOW_US, col(Lane.free_us) <= NOW_US + TOO_FAR), col(Lane.free_us)))
)
"""Over some rows: when the first bucket has something in it again that is empty now."""
