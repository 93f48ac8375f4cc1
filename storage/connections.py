"""Connections: the tokens that a pro's consent gave us, and the businesses they speak for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlmodel import col

from storage import lanes
from storage.columns import word
from storage.database import Transaction
from storage.models import (
    Business,
    Connection,
    ConnectionBusiness,
    ConnectionState,
    Environment,
    Generation,
)
from storage.prepared import Prepared

LIVE = (ConnectionState.ACTIVE, ConnectionState.BROKEN)
"""States in which a connection still stands for its businesses: what is queued for them waits."""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Tokens as Thumbtack gave them, sealed. `renew_at`: when they are to be renewed."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime
    renew_at: datetime | None
    scopes: Sequence[str]


async def add(
    tx: Transaction,
    *,
    environment: Environment,
    generation: Generation,
    team_id: str,
    connected_by: str,
    granted: Granted,
    now: datetime,
) -> Connection:
    """A new connection, which speaks for no business yet."""
    connection = Connection(
        environment=environment,
        generation=generation,
        team_id=team_id,
        state=ConnectionState.ACTIVE,
        scopes=list(granted.scopes),
        connected_by=connected_by,
        connected_at=now,
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        expires_at=granted.expires_at,
        granted_at=now,
        renew_at=granted.renew_at,
    )
    tx.add(connection)
    await tx.flush()
    return connection


async def get(tx: Transaction, connection_id: int | None) -> Connection | None:
    """A connection by our id."""
    return None if connection_id is None else await tx.get(Connection, connection_id)


async def to_change(tx: Transaction, connection_id: int) -> Connection | None:
    """A connection as it stands, held until this transaction ends."""
    query = select(Connection).where(col(Connection.id) == connection_id).with_for_update()
    return (await tx.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def link(tx: Transaction, connection: Connection, business_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Let a connection speak for these businesses, instead of older ones of the same API; returns those that ended.

    An older connection that speaks for nobody any more forgets its tokens.
    """
    await lanes.lock(tx, f"connections:{connection.generation}")  # of two that are linked at once, one is the newer
    for business_id in business_ids:
        query = select(ConnectionBusiness).where(
            col(ConnectionBusiness.connection_id) == connection.id, col(ConnectionBusiness.business_id) == business_id
        )
        if (await tx.execute(query)).first() is None:
            tx.add(ConnectionBusiness(connection_id=connection.id or 0, business_id=business_id))
    await tx.execute(
        update(Business)
        .where(col(Business.id).in_(business_ids), col(Business.disconnected_at).is_not(None))
        .values(disconnected_at=None)
    )
    await tx.flush()
    ended = []
    for older in await _others(tx, connection, business_ids):
        older_id = older.id or 0
        await unlink(tx, older_id, business_ids)
        if not await business_ids_of(tx, older_id):
            end(older, now=now)
            ended.append(older_id)
    await tx.flush()
    return ended


async def _others(tx: Transaction, connection: Connection, business_ids: Sequence[int]) -> Sequence[Connection]:
    query = (
        select(Connection)
        .join(ConnectionBusiness, col(ConnectionBusiness.connection_id) == col(Connection.id))
        .where(
            col(ConnectionBusiness.business_id).in_(business_ids),
            col(Connection.id) != connection.id,
            col(Connection.generation) == connection.generation,
            col(Connection.state).in_(LIVE),
        )
        .distinct()
    )
    return (await tx.execute(query)).scalars().all()


async def unlink(tx: Transaction, connection_id: int, business_ids: Sequence[int]) -> None:
    """A connection speaks for these businesses no longer."""
    await tx.execute(
        delete(ConnectionBusiness).where(
            col(ConnectionBusiness.connection_id) == connection_id,
            col(ConnectionBusiness.business_id).in_(business_ids),
        )
    )


@dataclass(frozen=True, kw_only=True)
class Left:
    """A connection that spoke for a business, as it was; its access token, sealed, lives until it expires."""

    generation: Generation
    access_token: str | None
    expires_at: datetime | None


async def leave(tx: Transaction, business_id: int, *, now: datetime) -> list[Left]:
    """End what speaks for a business, at both APIs; returns what did.

    A connection that speaks for others too goes on without this business; one that does not forgets its tokens.
    """
    left = []
    for generation in (Generation.LEGACY, Generation.V4):
        await lanes.lock(tx, f"connections:{generation}")
        found = await of_business(tx, business_id, generation)
        connection = None if found is None else await to_change(tx, found.id or 0)
        if connection is None:
            continue
        left.append(Left(generation=generation, access_token=connection.access_token, expires_at=connection.expires_at))
        await unlink(tx, connection.id or 0, [business_id])
        if not await business_ids_of(tx, connection.id or 0):
            end(connection, now=now)
    await tx.execute(delete(ConnectionBusiness).where(col(ConnectionBusiness.business_id) == business_id))
    await tx.flush()
    return left


def end(connection: Connection, *, now: datetime) -> None:
    """It is over: the tokens are forgotten."""
    connection.state, connection.ended_at = ConnectionState.ENDED, now
    connection.access_token = connection.refresh_token = None
    connection.renew_at = connection.renewing_since = connection.claimed_by = connection.claimed_until = None


async def business_ids_of(tx: Transaction, connection_id: int) -> Sequence[int]:
    """The businesses that a connection speaks for, the first one first."""
    query = select(col(ConnectionBusiness.business_id)).where(col(ConnectionBusiness.connection_id) == connection_id)
    return (await tx.execute(query.order_by(col(ConnectionBusiness.id)))).scalars().all()


async def businesses_of(tx: Transaction, connection_id: int) -> Sequence[Business]:
    """The same as rows."""
    query = (
        select(Business)
        .join(ConnectionBusiness, col(ConnectionBusiness.business_id) == col(Business.id))
        .where(col(ConnectionBusiness.connection_id) == connection_id)
    )
    return (await tx.execute(query.order_by(col(ConnectionBusiness.id)))).scalars().all()


async def of_business(tx: Transaction, business_id: int | None, generation: Generation) -> Connection | None:
    """The connection that speaks for a business at one of the APIs, active or broken; None where there is none."""
    found = await _OF_BUSINESS.scalar(tx, business=business_id, generation=generation)
    connection = None if found is None else await tx.get(Connection, found)
    return (
        connection if connection is not None and connection.state in LIVE else None
    )  # another replica may have ended it


async def live(tx: Transaction, *, environment: Environment) -> Sequence[Connection]:
    """Every connection that has not ended, the first one first."""
    query = select(Connection).where(col(Connection.state).in_(LIVE), col(Connection.environment) == environment)
    return (await tx.execute(query.order_by(col(Connection.id)))).scalars().all()


async def without_business(tx: Transaction, *, environment: Environment, team_id: str) -> Sequence[Connection]:
    """The active connections of which nobody knows yet for which businesses they are, the first one first."""
    query = (
        select(Connection)
        .outerjoin(ConnectionBusiness, col(ConnectionBusiness.connection_id) == col(Connection.id))
        .where(
            col(Connection.state) == ConnectionState.ACTIVE,
            col(Connection.environment) == environment,
            col(Connection.team_id) == team_id,
            col(ConnectionBusiness.id).is_(None),
        )
    )
    return (await tx.execute(query.order_by(col(Connection.id)))).scalars().all()


async def connected_businesses(
    tx: Transaction, *, environment: Environment, generation: Generation | None = None
) -> Sequence[Business]:
    """The businesses that some connection speaks for, by name."""
    query = (
        select(Business)
        .join(ConnectionBusiness, col(ConnectionBusiness.business_id) == col(Business.id))
        .join(Connection, col(ConnectionBusiness.connection_id) == col(Connection.id))
        .where(col(Connection.state).in_(LIVE), col(Business.environment) == environment)
        .distinct()
    )
    if generation is not None:
        query = query.where(col(Connection.generation) == generation)
    return sorted((await tx.execute(query)).scalars().all(), key=lambda one: (one.name or "", one.id or 0))


# Renewal


async def to_renew(tx: Transaction, *, now: datetime) -> Sequence[int]:
    """The connections whose tokens are to be renewed now; first those whose renewal was cut off."""
    query = select(col(Connection.id)).where(
        col(Connection.state) == ConnectionState.ACTIVE,
        col(Connection.refresh_token).is_not(None),
        or_(
            col(Connection.claimed_until) <= now,
            and_(col(Connection.claimed_until).is_(None), col(Connection.renew_at) <= now),
        ),
    )
    query = query.order_by(col(Connection.claimed_until).is_(None), col(Connection.id))
    return [found for found in (await tx.execute(query)).scalars() if found is not None]


async def claim(
    tx: Transaction, connection_id: int, *, owner: str, now: datetime, lasts: timedelta
) -> Connection | None:
    """Hold a connection for renewing it; None while another does, or where it is not to be renewed at all."""
    connection = await to_change(tx, connection_id)
    if connection is None or connection.state != ConnectionState.ACTIVE or connection.refresh_token is None:
        return None
    if connection.claimed_until is not None and connection.claimed_until > now and connection.claimed_by != owner:
        return None
    connection.claimed_by, connection.claimed_until = owner, now + lasts
    connection.renewing_since = connection.renewing_since or now
    await tx.flush()
    return connection


async def release_claims(tx: Transaction, *, now: datetime) -> None:
    """Let go what a dead process held. Only where nobody else can hold anything: at the start, on SQLite."""
    await tx.execute(update(Connection).where(col(Connection.claimed_until) > now).values(claimed_until=now))


def renewed(connection: Connection, granted: Granted, *, now: datetime) -> None:
    """The new pair takes the place of the old one."""
    connection.access_token = granted.access_token
    if granted.refresh_token is not None:
        connection.refresh_token, connection.granted_at = granted.refresh_token, now
    connection.scopes = list(granted.scopes) or connection.scopes
    connection.expires_at, connection.renew_at = granted.expires_at, granted.renew_at
    connection.failures, connection.reason = 0, None
    connection.failing_since = connection.warned_at = None
    _let_go(connection)


def failed(connection: Connection, *, reason: str, again_at: datetime, now: datetime) -> None:
    """A renewal did not succeed; it is tried again at `again_at`."""
    connection.failures += 1
    connection.failing_since = connection.failing_since or now
    connection.reason, connection.renew_at = reason, again_at
    _let_go(connection)


def broke(connection: Connection, *, reason: str) -> None:
    """Thumbtack refuses to renew it: nothing more is tried, and what is queued waits for a new consent."""
    connection.state, connection.reason = ConnectionState.BROKEN, reason
    connection.renew_at = None
    _let_go(connection)


def _let_go(connection: Connection) -> None:
    connection.claimed_by = connection.claimed_until = connection.renewing_since = None


# Asked for each card; building it takes longer than asking it.
_OF_BUSINESS = Prepared(
    select(col(Connection.id))
    .join(ConnectionBusiness, col(ConnectionBusiness.connection_id) == col(Connection.id))
    .where(
        col(ConnectionBusiness.business_id) == bindparam("business"),
        col(Connection.generation) == bindparam("generation"),
        col(Connection.state).in_([word(one) for one in LIVE]),
    )
    .order_by(col(Connection.id).desc())
    .limit(1)
)
