"""How much waits, what stands still, and how old tokens are: read for the metrics, however much is behind us."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, text
from sqlmodel import col

from storage import hearing, lanes, presence, sockets
from storage.columns import UtcDateTime
from storage.connections import LIVE
from storage.database import Transaction
from storage.models import Connection, ConnectionState, Environment, Generation, Inbox, Lane, Outbox, Row, WorkState

DEAD = text("state = 'dead'")
"""Word for word as the indexes over what died say it."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What is to be done now and was not (`oldest`: since when the first of it waits), and how much was given up."""

    waiting: int
    oldest: datetime | None
    dead: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How things stand in the database, for all replicas together.

    `parked`: replies that wait for a person's choice. `held_channels`: those where something waits and a person must mend
    something first. `connections`: how many are active, failing (active, but the last renewal did not succeed) and
    broken. `granted`: when the oldest refresh token in use was issued, by API generation. `last_webhook_at`: when
    Thumbtack last told us something that we did not know. `socket_connections`: how many processes hear Slack over Socket
    Mode. `back_at`: when the last absence was over. `unsteady_since`: since when no process stayed for as long as Slack
    tries an event. `silent`: for how many businesses nothing comes any more.
    """

    inbox: Queue
    outbox: Queue
    parked: int
    held_channels: int
    connections: Mapping[str, int]
    granted: Mapping[Generation, datetime]
    last_webhook_at: datetime | None
    socket_connections: int
    back_at: datetime | None
    unsteady_since: datetime | None
    silent: int


async def measure(tx: Transaction, *, environment: Environment, now: datetime) -> Measured:
    """Read all of it; what is done already is not read."""
    newest = select(func.max(col(Inbox.id))).scalar_subquery()
    last = await tx.execute(select(col(Inbox.received_at)).where(col(Inbox.id) == newest))
    there = await presence.find(tx)
    return Measured(
        inbox=await _inbox(tx),
        outbox=await _outbox(tx, now),
        parked=await _count(tx, select(func.count()).where(_waits(Outbox), col(Outbox.state) == WorkState.PARKED)),
        held_channels=await _count(tx, _held()),
        connections=await _connections(tx),
        granted=await _granted(tx),
        last_webhook_at=last.scalar_one_or_none(),
        socket_connections=await sockets.held(tx, now=now),
        back_at=there.back_at if there else None,
        unsteady_since=there.unsteady_since if there else None,
        silent=await hearing.silent(tx, environment=environment),
    )


async def _inbox(tx: Transaction) -> Queue:
    found = (await tx.execute(select(func.count(), func.min(Inbox.received_at)).where(_waits(Inbox)))).one()
    return Queue(waiting=found[0], oldest=found[1], dead=await _dead(tx, Inbox))


async def _outbox(tx: Transaction, now: datetime) -> Queue:
    """What may go now or was put off; not what is to be said at a later time.

    Who waits for its time waits since then; what was put off waits since it was enqueued, for its time moves on.
    """
    put_off = or_(col(Outbox.attempt) > 0, col(Outbox.reason).is_not(None))
    since = case((put_off, col(Outbox.created_at)), else_=col(Outbox.due_at))
    query = select(func.count(), func.min(since, type_=UtcDateTime)).where(
        _waits(Outbox), col(Outbox.state) != WorkState.PARKED, or_(col(Outbox.due_at) <= now, put_off)
    )
    found = (await tx.execute(query)).one()
    return Queue(waiting=found[0], oldest=found[1], dead=await _dead(tx, Outbox))


def _waits(row: type[Inbox] | type[Outbox]) -> ColumnElement[bool]:
    return col(row.settled_at).is_(None)


async def _dead(tx: Transaction, row: type[Row]) -> int:
    return await _count(tx, select(func.count()).select_from(row).where(DEAD))


def _held() -> Select[Any]:
    there = select(col(Outbox.id)).where(_waits(Outbox), lanes.pace_key(col(Outbox.channel)) == col(Lane.key))
    return select(func.count()).select_from(Lane).where(col(Lane.held), there.exists())


async def _count(tx: Transaction, query: Select[Any]) -> int:
    count: int = (await tx.execute(query)).scalar_one()
    return count


async def _connections(tx: Transaction) -> dict[str, int]:
    is_failing = col(Connection.failing_since).is_not(None).label("is_failing")
    query = select(col(Connection.state), is_failing, func.count()).where(col(Connection.state).in_(LIVE))
    counts = {"active": 0, "failing": 0, "broken": 0}
    for state, failing, count in (await tx.execute(query.group_by(col(Connection.state), is_failing))).all():
        counts["failing" if failing and state == ConnectionState.ACTIVE else str(state)] += count
    return counts


async def _granted(tx: Transaction) -> dict[Generation, datetime]:
    query = (
        select(col(Connection.generation), func.min(Connection.granted_at))
        .where(col(Connection.state) == ConnectionState.ACTIVE, col(Connection.refresh_token).is_not(None))
        .group_by(col(Connection.generation))
    )
    return {Generation(name): at for name, at in (await tx.execute(query)).all()}
