"""Who may go next: one query for inbox and outbox, so that the order within a lane holds on any number of replicas.

A row may go when it is due, nobody holds it, and no earlier row of its lane is unsettled. Rows are taken with FOR UPDATE
SKIP LOCKED on PostgreSQL; SQLite has one writer and needs none. Whoever adds to a lane locks it first, so that ids
within a lane come in the order of their commits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Boolean, ColumnElement, Select, and_, bindparam, case, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.columns import UtcDateTime
from storage.database import Transaction
from storage.models import Inbox, Lane, Outbox, WorkState

NOW, UNTIL = bindparam("now", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
LATER = case((col(Lane.next_at) > UNTIL, col(Lane.next_at)), else_=UNTIL)


def _next_inbox() -> Select[Inbox]:
    """The inbox row to ingest next: the oldest that is due and the first of its lane."""
    earlier = aliased(Inbox)
    ahead = select(col(earlier.id)).where(
        col(earlier.settled_at).is_(None), col(earlier.lane) == col(Inbox.lane), col(earlier.id) < col(Inbox.id)
    )
    return (
        select(Inbox)
        .where(col(Inbox.settled_at).is_(None), col(Inbox.due_at) <= NOW, ~ahead.exists())
        .order_by(col(Inbox.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _next_unpaced() -> Select[Outbox]:
    """The outbox row without a channel to deliver next: most urgent, then oldest, whose lane allows it."""
    return _first(select(Outbox).where(col(Outbox.channel).is_(None), *_may_go(Outbox)))


def _next_paced() -> Select[Outbox]:
    """The outbox row to deliver next among those of channels whose pace allows a post.

    Looks at one row of each channel, found by an index, however many wait: a backlog of one channel is not read.
    """
    walk, row = _walk(), aliased(Outbox)
    head = (
        select(col(row.id))
        .where(col(row.channel) == walk.c.channel, *_may_go(row))
        .order_by(col(row.priority), col(row.id))
        .limit(1)
        .scalar_subquery()
    )
    may_post = or_(col(Lane.next_at).is_(None), col(Lane.next_at) <= NOW)
    heads = select(head).select_from(walk.outerjoin(Lane, _pace_of(walk))).where(may_post)
    return _first(select(Outbox).where(col(Outbox.id).in_(heads)))


def first_pace() -> Select[Any]:
    """When the first of the channels that something waits for may be posted to again, where that is not now."""
    walk, at = _walk(), col(Lane.next_at)
    return select(func.min(at)).select_from(walk.join(Lane, _pace_of(walk))).where(at > NOW)


def _first(query: Select[Outbox]) -> Select[Outbox]:
    return query.order_by(col(Outbox.priority), col(Outbox.id)).limit(1).with_for_update(skip_locked=True)


def _may_go(row: type[Outbox]) -> list[ColumnElement[bool]]:
    return [
        col(row.settled_at).is_(None),
        col(row.state) != WorkState.PARKED,
        col(row.due_at) <= NOW,
        or_(col(row.claimed_until).is_(None), col(row.claimed_until) <= NOW),
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


def _blocked() -> Select[Any]:
    """Gives a row where an entry must wait for another one of its lane."""
    return select(col(Outbox.id)).where(col(Outbox.id) == bindparam("entry_id"), _ahead(Outbox).exists())


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


def is_alone(tx: Transaction) -> bool:
    """Whether this transaction has the whole database to itself: nothing that it read changes before it ends."""
    return tx.get_bind().dialect.name == "sqlite"


def for_changing(tx: Transaction) -> dict[str, Any]:
    """How a row is read that nobody else may change until this transaction ends: as it stands now.

    Others may refer to it meanwhile (key_share: FOR NO KEY UPDATE). Who is alone has it as it stands, once it was read.
    """
    return {} if is_alone(tx) else {"with_for_update": {"key_share": True}, "populate_existing": True}


async def lock(tx: Transaction, key: str) -> None:
    """Hold a name until this transaction ends. On SQLite that needs nothing (see `is_alone`)."""
    if not is_alone(tx):
        await tx.execute(LOCK, {"key": key})


async def pace(tx: Transaction, channel: str, until: datetime, *, outcome_by: datetime | None = None) -> bool:
    """A post goes to `channel` now; the next one not before `until`. Returns whether the channel is held.

    Then this post is a trial, and the next one waits for its outcome, until `outcome_by` at the longest.
    """
    values = {"key": pace_key(channel), "until": until, "outcome_by": outcome_by or until}
    held: bool = (await tx.execute(PACE[tx.get_bind().dialect.name], values)).scalar_one()
    return held


async def quiet(tx: Transaction, channel: str, until: datetime, *, held: bool = False) -> None:
    """Nobody posts to `channel` before `until`; a later time that stands already is kept."""
    values = {"key": pace_key(channel), "until": until, "held": held}
    await tx.execute(QUIET[tx.get_bind().dialect.name], values)


async def tried(tx: Transaction, channel: str, until: datetime, *, held: bool) -> None:
    """A trial has its outcome: the next post goes from `until` on; as another trial, where it is `held` still."""
    await tx.execute(TRIED, {"of": pace_key(channel), "until": until, "new_held": held})


def _pace(insert: Any) -> Any:
    """The statement has no type: the two dialects' inserts share no base that knows conflicts."""
    outcome_by = bindparam("outcome_by", type_=UtcDateTime)
    statement = insert(Lane).values(key=bindparam("key"), next_at=UNTIL, held=False)
    next_at = case((col(Lane.held), outcome_by), else_=LATER)
    return statement.on_conflict_do_update(index_elements=["key"], set_={"next_at": next_at}).returning(col(Lane.held))


def _quiet(insert: Any) -> Any:
    held = bindparam("held", type_=Boolean)
    statement = insert(Lane).values(key=bindparam("key"), next_at=UNTIL, held=held)
    return statement.on_conflict_do_update(
        index_elements=["key"], set_={"next_at": LATER, "held": or_(col(Lane.held), held)}
    )


# Built once: that takes ten times as long as running them.
NEXT_INBOX, NEXT_UNPACED, NEXT_PACED, BLOCKED = _next_inbox(), _next_unpaced(), _next_paced(), _blocked()
LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
PACE = {"postgresql": _pace(postgresql.insert), "sqlite": _pace(sqlite.insert)}
QUIET = {"postgresql": _quiet(postgresql.insert), "sqlite": _quiet(sqlite.insert)}
TRIED = (
    update(Lane)
    .where(col(Lane.key) == bindparam("of"))
    .values(next_at=UNTIL, held=bindparam("new_held"))
    .execution_options(synchronize_session=False)
)
