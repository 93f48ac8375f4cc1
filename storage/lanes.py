"""Who may go next: one query for inbox and outbox, so that the order within a lane holds on any number of replicas.

A row may go when it is due, nobody holds it, and no earlier row of its lane is unsettled. Rows are taken with FOR UPDATE
SKIP LOCKED on PostgreSQL; SQLite has one writer and needs none. Whoever adds to a lane locks it first, so that ids
within a lane come in the order of their commits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage import pacing
from storage.columns import UtcDateTime, word
from storage.database import Transaction
from storage.entries import COLUMNS
from storage.inserting import ByDialect
from storage.models import Inbox, Lane, Outbox, WorkState
from storage.prepared import Prepared
from storage.transaction import HERE

NOW, UNTIL = pacing.NOW, bindparam("until", type_=UtcDateTime)
LATER = case((col(Lane.next_at) > UNTIL, col(Lane.next_at)), else_=UNTIL)

ALL_POSTS = pacing.method_key("chat.postMessage")
"""The row that bounds all posts to the workspace, whichever channel they go to."""

UNPACED = 16
"""How many entries without a pace are candidates: more than there are replicas that could hold some of them just now."""

BY_CHANNEL = (col(Outbox.settled_at).is_(None), col(Outbox.pace).is_(None))
BY_PACE = (col(Outbox.settled_at).is_(None), col(Outbox.pace).is_not(None))
"""Word for word as the indexes over what waits say it."""


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


def _next_outbox() -> Select[Any]:
    """The outbox row to deliver next: most urgent, then by its turn, whose lane and pace allow it.

    Looks at one row of each channel, and of each other pace, found by an index, however many wait: a backlog is not read.
    """
    heads = union_all(_unpaced(), _heads_of_channels(), _heads_of_paces())
    # PostgreSQL looks again only at the row itself where another replica changed it meanwhile, not at what found it.
    query = select(*COLUMNS).where(col(Outbox.id).in_(heads), *_is_free(Outbox)).order_by(*_in_turn(Outbox))
    return query.limit(1).with_for_update(skip_locked=True)


def _unpaced() -> Select[Any]:
    """The first of those that no pace bounds: some of them, for other replicas may hold the very first."""
    first = select(col(Outbox.id)).where(col(Outbox.pace).is_(None), col(Outbox.channel).is_(None), *_may_go(Outbox))
    return select(first.order_by(*_in_turn(Outbox)).limit(UNPACED).subquery().c.id)


def _heads_of_channels() -> Select[Any]:
    """What is to be posted next in each channel that may be posted to, as long as the workspace may."""
    walk, row, workspace = _walk("channels", col(Outbox.channel), *BY_CHANNEL), aliased(Outbox), aliased(Lane)
    is_paused = select(col(workspace.key)).where(col(workspace.key) == ALL_POSTS, ~pacing.is_open(workspace))
    head = _head(row, col(row.pace).is_(None), col(row.channel) == walk.c.key)
    lane = walk.outerjoin(Lane, col(Lane.key) == pace_key(walk.c.key))
    return select(head).select_from(lane).where(pacing.is_open(), ~is_paused.exists())


def _heads_of_paces() -> Select[Any]:
    """What is to be done next by each method of Slack's, and for each person, that may be; not in channels that are held."""
    walk, row = _walk("paces", col(Outbox.pace), *BY_PACE), aliased(Outbox)
    channel, workspace = aliased(Lane), aliased(Lane)
    is_held = select(col(channel.key)).where(
        col(channel.key) == pace_key(col(row.channel)), col(channel.held), col(channel.next_at) > NOW
    )
    head = _head(row, col(row.pace).is_not(None), col(row.pace) == walk.c.key, ~is_held.exists())
    is_paused = select(col(workspace.key)).where(
        col(workspace.key) == ALL_POSTS,
        walk.c.key.startswith(pacing.PERSON, autoescape=True),
        ~pacing.is_open(workspace),
    )
    lane = walk.outerjoin(Lane, col(Lane.key) == walk.c.key)
    return select(head).select_from(lane).where(pacing.is_open(), ~is_paused.exists())


def _head(row: type[Outbox], *which: ColumnElement[bool]) -> ScalarSelect[Any]:
    query = select(col(row.id)).where(*which, *_may_go(row))
    return query.order_by(*_in_turn(row)).limit(1).scalar_subquery()


def _in_turn(row: type[Outbox]) -> list[ColumnElement[Any]]:
    return [col(row.priority), col(row.turn_at), col(row.id)]  # type: ignore[list-item]  # SQLModel's name for a column


def first_pace() -> Select[Any]:
    """When the first of the paces that something waits for allows it, where that is not now; when a bucket has room again."""
    channels = _walk("channels", col(Outbox.channel), *BY_CHANNEL)
    paces, at = _walk("paces", col(Outbox.pace), *BY_PACE), col(Lane.next_at)
    quiet = func.min(case((at > NOW, at)), type_=UtcDateTime)
    return select(quiet.label("quiet"), pacing.FIRST_FREE.label("free")).where(
        or_(
            col(Lane.key).in_(select(pace_key(channels.c.key))),
            col(Lane.key).in_(select(paces.c.key)),
            col(Lane.key) == ALL_POSTS,
            col(Lane.held),
        )
    )


def _may_go(row: type[Outbox]) -> list[ColumnElement[bool]]:
    return [*_is_free(row), or_(col(row.lane).is_(None), ~_ahead(row).exists())]


def _is_free(row: type[Outbox]) -> list[ColumnElement[bool]]:
    return [
        col(row.settled_at).is_(None),
        col(row.state) != word(WorkState.PARKED),
        col(row.due_at) <= NOW,
        or_(col(row.claimed_until).is_(None), col(row.claimed_until) <= NOW),
    ]


def _walk(name: str, key: Any, *which: ColumnElement[bool]) -> CTE:
    """The channels or paces that something waits for: from one to the next along the index, not through all rows."""
    walk = select(func.min(key).label("key")).where(*which).cte(name, recursive=True)
    following = select(func.min(key)).where(*which, key > walk.c.key)
    return walk.union_all(select(following.scalar_subquery()).where(walk.c.key.is_not(None)))


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
    under_way, we_are = col(other.state) == word(WorkState.SENDING), col(row.state) == word(WorkState.SENDING)
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
    return HERE in tx.info or tx.get_bind().dialect.name == "sqlite"


def for_changing(tx: Transaction) -> dict[str, Any]:
    """How a row is read that nobody else may change until this transaction ends: as it stands now.

    Others may refer to it meanwhile (key_share: FOR NO KEY UPDATE). Who is alone has it as it stands, once it was read,
    unless a prepared statement changed it since (`storage.prepared`).
    """
    return {} if is_alone(tx) else {"with_for_update": {"key_share": True}, "populate_existing": True}


async def lock(tx: Transaction, key: str) -> None:
    """Hold a name until this transaction ends. On SQLite that needs nothing (see `is_alone`)."""
    if not is_alone(tx):
        await LOCK.first(tx, key=key)


async def try_held(tx: Transaction, channel: str, *, outcome_by: datetime) -> bool:
    """Whether a channel is held; what is done there now is a trial then, and all else waits for its outcome."""
    return await TRY_HELD.first(tx, of=pace_key(channel), until=outcome_by) is not None


async def quiet(tx: Transaction, channel: str, until: datetime, *, held: bool = False) -> None:
    """Nobody posts to `channel` before `until`; a later time that stands already is kept."""
    await QUIET.of(tx).changed(tx, key=pace_key(channel), until=until, held=held)


async def tried(tx: Transaction, channel: str, until: datetime, *, held: bool) -> None:
    """A trial has its outcome: the next post goes from `until` on; as another trial, where it is `held` still."""
    await TRIED.changed(tx, of=pace_key(channel), until=until, new_held=held)


def _quiet(insert: Any) -> Any:
    held = bindparam("held", type_=Boolean)
    statement = insert(pacing.ROWS).values(key=bindparam("key"), next_at=UNTIL, held=held)
    return statement.on_conflict_do_update(
        index_elements=["key"], set_={"next_at": LATER, "held": or_(col(Lane.held), held)}
    )


# Built once: that takes ten times as long as running them.
NEXT_INBOX, NEXT_OUTBOX, BLOCKED = _next_inbox(), Prepared(_next_outbox()), Prepared(_blocked())
LOCK = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0))))
QUIET = ByDialect(lambda insert: Prepared(_quiet(insert)))
TRIED = Prepared(
    update(pacing.ROWS).where(col(Lane.key) == bindparam("of")).values(next_at=UNTIL, held=bindparam("new_held"))
)
TRY_HELD = Prepared(
    update(pacing.ROWS)
    .where(col(Lane.key) == bindparam("of"), col(Lane.held))
    .values(next_at=UNTIL)
    .returning(col(Lane.key))
)
