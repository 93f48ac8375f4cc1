"""Who may go next: one query for inbox and outbox, so that the order within a lane holds on any number of replicas.

A row may go when it is due, nobody holds it, and no earlier row of its lane is unsettled. Rows are taken with FOR UPDATE
SKIP LOCKED on PostgreSQL; SQLite has one writer and needs none. Whoever adds to a lane locks it first, so that ids
within a lane come in the order of their commits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.database import Transaction
from storage.models import Inbox, Lane, Outbox, WorkState


def next_inbox(now: datetime, limit: int) -> Select[Inbox]:
    """The inbox rows to ingest next, oldest first, at most one of a lane."""
    earlier = aliased(Inbox)
    ahead = select(col(earlier.id)).where(
        col(earlier.settled_at).is_(None), col(earlier.lane) == col(Inbox.lane), col(earlier.id) < col(Inbox.id)
    )
    return (
        select(Inbox)
        .where(col(Inbox.settled_at).is_(None), col(Inbox.due_at) <= now, ~ahead.exists())
        .order_by(col(Inbox.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def next_unpaced(now: datetime) -> Select[Outbox]:
    """The outbox row without a channel to deliver next: most urgent, then oldest, whose lane allows it."""
    return _first(select(Outbox).where(col(Outbox.channel).is_(None), *_may_go(Outbox, now)))


def next_paced(now: datetime) -> Select[Outbox]:
    """The outbox row to deliver next among those of channels whose pace allows a post.

    Looks at one row of each channel, found by an index, however many wait: a backlog of one channel is not read.
    """
    walk, row = _walk(), aliased(Outbox)
    head = (
        select(col(row.id))
        .where(col(row.channel) == walk.c.channel, *_may_go(row, now))
        .order_by(col(row.priority), col(row.id))
        .limit(1)
        .scalar_subquery()
    )
    may_post = or_(col(Lane.next_at).is_(None), col(Lane.next_at) <= now)
    heads = select(head).select_from(walk.outerjoin(Lane, _pace_of(walk))).where(may_post)
    return _first(select(Outbox).where(col(Outbox.id).in_(heads)))


def paces(now: datetime) -> Select[Any]:
    """When the channels that something waits for may be posted to again, where that is not now."""
    walk = _walk()
    return select(col(Lane.next_at)).select_from(walk.join(Lane, _pace_of(walk))).where(col(Lane.next_at) > now)


def _first(query: Select[Outbox]) -> Select[Outbox]:
    return query.order_by(col(Outbox.priority), col(Outbox.id)).limit(1).with_for_update(skip_locked=True)


def _may_go(row: type[Outbox], now: datetime) -> list[ColumnElement[bool]]:
    return [
        col(row.settled_at).is_(None),
        col(row.state) != WorkState.PARKED,
        col(row.due_at) <= now,
        or_(col(row.claimed_until).is_(None), col(row.claimed_until) <= now),
        or_(col(row.lane).is_(None), ~_ahead(row).exists()),
    ]


def _walk() -> CTE:
    """The channels that something waits for: from one to the next along the index, not through all rows."""
    first = select(func.min(col(Outbox.channel)).label("channel")).where(col(Outbox.settled_at).is_(None))
    walk = first.cte("walk", recursive=True)
    row = aliased(Outbox)
    following = select(func.min(col(row.channel))).where(
        col(row.settled_at).is_(None), col(row.channel) > walk.c.channel
    )
    return walk.union_all(select(following.scalar_subquery()).where(walk.c.channel.is_not(None)))


def _pace_of(walk: CTE) -> ColumnElement[bool]:
    of_channel: ColumnElement[bool] = col(Lane.key) == pace_key(walk.c.channel)
    return of_channel


def blocked(entry_id: int | None) -> Select[Any]:
    """Gives a row where an entry must wait for another one of its lane."""
    return select(col(Outbox.id)).where(col(Outbox.id) == entry_id, _ahead(Outbox).exists())


def _ahead(row: type[Outbox]) -> Select[Any]:
    """What goes before an entry: what may be under way, then what stands earlier in the lane.

    What may be under way waits for nobody but its like, or it and an entry that was put before it (a reply whose event
    came late) would wait for each other for ever.
    """
    other = aliased(Outbox)
    earlier: ColumnElement[bool] = tuple_(col(other.position), col(other.id)) < tuple_(col(row.position), col(row.id))
    under_way, we_are = col(other.state) == WorkState.SENDING, col(row.state) == WorkState.SENDING
    return select(col(other.id)).where(
        col(other.settled_at).is_(None),
        col(other.lane) == col(row.lane),
        or_(and_(under_way, or_(~we_are, earlier)), and_(earlier, ~we_are)),
        col(other.id) != col(row.id),
    )


def pace_key(channel: Any) -> Any:
    """The name of a channel's row: its pace is shared by everything posted there."""
    return "channel:" + channel


async def lock(tx: Transaction, key: str) -> None:
    """Hold a name until this transaction ends. On SQLite the transaction has the whole database to itself anyway."""
    if tx.get_bind().dialect.name == "postgresql":
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def pace(tx: Transaction, channel: str, until: datetime) -> None:
    """Nobody posts to `channel` before `until`; a later time that stands already is kept."""
    insert = sqlite.insert if tx.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Lane).values(key=pace_key(channel), next_at=until)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"next_at": until},
            where=or_(col(Lane.next_at).is_(None), col(Lane.next_at) < until),
        )
    )
