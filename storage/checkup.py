"""What the doctor reads: everything it wants to know in one transaction that changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage import channels, connections, hearing, measuring, overview, presence, routing
from storage.database import Transaction
from storage.hearing import Habit
from storage.measuring import Measured
from storage.models import (
    Business,
    Channel,
    Connection,
    Environment,
    Inbox,
    Keeper,
    Outbox,
    Route,
    Thread,
    WorkState,
)
from storage.overview import Standing

REASONS = 5
"""How many reasons of what waits are told."""


@dataclass(frozen=True, kw_only=True)
class Speaking:
    """A connection, and the businesses that it speaks for."""

    connection: Connection
    businesses: Sequence[Business]


@dataclass(frozen=True, kw_only=True)
class Records:
    """All of it. `threads_in`: channels with leads, the latest first; `held`: those where something waits and is refused.

    `inbox_reasons`, `outbox_reasons`: why what waits was put off, and how much of it. `habits`: of businesses without a lead
    today. `alive_at`: when `serve` was there
    last, on any machine; None where it never was.
    """

    standings: Sequence[Standing]
    connections: Sequence[Speaking]
    rules: Sequence[Route]
    threads_in: Sequence[str]
    channels: Sequence[Channel]
    held: Sequence[str]
    keepers: Sequence[str]
    measured: Measured
    inbox_reasons: Mapping[str, int]
    outbox_reasons: Mapping[str, int]
    habits: Sequence[Habit]
    alive_at: datetime | None


async def read(tx: Transaction, *, environment: Environment, now: datetime) -> Records:
    """How everything stands now."""
    live, there = await connections.live(tx, environment=environment), await presence.find(tx)
    return Records(
        standings=await overview.standings(tx, environment=environment),
        connections=[
            Speaking(connection=one, businesses=await connections.businesses_of(tx, one.id or 0)) for one in live
        ],
        rules=await routing.rules(tx),
        threads_in=await _threads_in(tx),
        channels=await channels.listed(tx),
        held=await overview.held(tx),
        keepers=(await tx.execute(select(col(Keeper.user_id)).order_by(col(Keeper.id)))).scalars().all(),
        measured=await measuring.measure(tx, environment=environment, now=now),
        inbox_reasons=await _reasons(tx, Inbox),
        outbox_reasons=await _reasons(tx, Outbox),
        habits=await hearing.habits(tx, environment=environment, now=now),
        alive_at=None if there is None else there.alive_at,
    )


async def _threads_in(tx: Transaction) -> Sequence[str]:
    latest = func.max(col(Thread.id))
    query = select(col(Thread.channel)).group_by(col(Thread.channel)).order_by(latest.desc())
    return (await tx.execute(query)).scalars().all()


async def _reasons(tx: Transaction, row: type[Inbox] | type[Outbox]) -> Mapping[str, int]:
    """The most frequent ones."""
    put_off = (col(row.settled_at).is_(None), col(row.state) != WorkState.PARKED, col(row.reason).is_not(None))
    query = select(col(row.reason), func.count()).where(*put_off).group_by(col(row.reason))
    found = (await tx.execute(query.order_by(func.count().desc(), col(row.reason)).limit(REASONS))).all()
    return {reason or "": count for reason, count in found}
