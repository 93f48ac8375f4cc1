"""How things stand, read for `/thumbtack status`: businesses with what belongs to them, and what is left to do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlmodel import col

from storage import audit, lanes, measuring, webhooks
from storage.connections import LIVE
from storage.database import Transaction
from storage.models import (
    Audit,
    Business,
    Connection,
    ConnectionBusiness,
    Environment,
    Erasure,
    Lane,
    Outbox,
    Targeting,
    Webhook,
    WorkState,
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A business with its connections, what was set for it, its webhook, and its erasure, announced or under way."""

    business: Business
    connections: Sequence[Connection]
    targeting: Sequence[Targeting]
    erasure: Erasure | None
    webhook: Webhook | None


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How much is to be said and was not (`oldest`: since when the first of it waits), and how much was given up.

    `unread`: webhooks that are stored and not read yet; `not_understood`: those that could not be. `held`: channels for
    which something waits that Slack refuses. `heard_at`: when Thumbtack last told something new.
    """

    waiting: int
    oldest: datetime | None
    dead: int
    unread: int = 0
    not_understood: int = 0
    held: Sequence[str] = ()
    heard_at: datetime | None = None


async def standings(tx: Transaction, *, environment: Environment) -> Sequence[Standing]:
    """Every business, the connected ones first, then by name."""
    found = (await tx.execute(select(Business).where(col(Business.environment) == environment))).scalars().all()
    connections = await _connections(tx, environment)
    targeting = await _targeting(tx, environment)
    erasures = {erasure.business_id: erasure for erasure in await _erasures(tx)}
    hooks = await webhooks.of_environment(tx, environment)
    standings = [
        Standing(
            business=business,
            connections=connections.get(business.id, ()),
            targeting=targeting.get(business.id, ()),
            erasure=erasures.get(business.id),
            webhook=hooks.get(business.id or 0),
        )
        for business in found
    ]
    return sorted(standings, key=lambda one: (not one.connections, (one.business.name or "").casefold()))


async def _connections(tx: Transaction, environment: Environment) -> dict[int | None, list[Connection]]:
    query = (
        select(col(ConnectionBusiness.business_id), Connection)
        .join(Connection, col(ConnectionBusiness.connection_id) == col(Connection.id))
        .where(col(Connection.state).in_(LIVE), col(Connection.environment) == environment)
        .order_by(col(Connection.id))
    )
    found: dict[int | None, list[Connection]] = defaultdict(list)
    for business_id, connection in (await tx.execute(query)).all():
        found[business_id].append(connection)
    return found


async def _targeting(tx: Transaction, environment: Environment) -> dict[int | None, list[Targeting]]:
    query = (
        select(Targeting)
        .join(Business, col(Targeting.business_id) == col(Business.id))
        .where(col(Business.environment) == environment)
        .order_by(col(Targeting.category_id))  # the whole business has none, and comes first
    )
    found: dict[int | None, list[Targeting]] = defaultdict(list)
    for row in (await tx.execute(query)).scalars():
        found[row.business_id].append(row)
    return found


async def _erasures(tx: Transaction) -> Sequence[Erasure]:
    query = select(Erasure).where(col(Erasure.cancelled_at).is_(None), col(Erasure.finished_at).is_(None))
    return (await tx.execute(query.order_by(col(Erasure.id)))).scalars().all()


async def backlog(tx: Transaction, *, environment: Environment, now: datetime) -> Backlog:
    """What is late, tried again, or held until somebody mends something; not what is to be said at a later time."""
    waits = (
        col(Outbox.settled_at).is_(None),
        or_(col(Outbox.due_at) <= now, col(Outbox.attempt) > 0, col(Outbox.state) == WorkState.PARKED),
    )
    waiting = (await tx.execute(select(func.count(), func.min(Outbox.created_at)).where(*waits))).one()
    measured = await measuring.measure(tx, environment=environment, now=now)
    return Backlog(
        waiting=waiting[0],
        oldest=waiting[1],
        dead=measured.outbox.dead,
        unread=measured.inbox.waiting,
        not_understood=measured.inbox.dead,
        held=await held(tx),
        heard_at=measured.last_webhook_at,
    )


async def held(tx: Transaction) -> Sequence[str]:
    """Channels for which something waits that Slack refuses until a person mends something.

    By their rows of pace; one that was held when the last entry for it was taken back holds nobody.
    """
    waiting = select(col(Outbox.channel)).where(col(Outbox.settled_at).is_(None), col(Outbox.channel).is_not(None))
    waits = set((await tx.execute(waiting.distinct())).scalars())
    keys = (await tx.execute(select(col(Lane.key)).where(col(Lane.held)).order_by(col(Lane.key)))).scalars().all()
    found = [key.removeprefix(lanes.pace_key("")) for key in keys]
    return [channel for channel in found if channel in waits]


async def changes(tx: Transaction, *, team_id: str, limit: int) -> tuple[Sequence[Audit], int]:
    """The last changes, the newest first, and how many there were before them."""
    ours = (
        or_(col(Audit.team_id) == team_id, col(Audit.team_id).is_(None)),
        col(Audit.action).not_in(audit.SEEN),
    )
    newest = select(Audit).where(*ours).order_by(col(Audit.id).desc()).limit(limit)
    found = (await tx.execute(newest)).scalars().all()
    total = (await tx.execute(select(func.count()).select_from(Audit).where(*ours))).scalar_one()
    return found, total - len(found)
