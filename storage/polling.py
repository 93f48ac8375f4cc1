"""Which leads v4 is asked about again, and when: it pushes neither how a lead stands nor what was charged for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlmodel import col

from storage import connections, lanes, leads, outbox
from storage.database import Transaction
from storage.models import (
    Connection,
    ConnectionBusiness,
    ConnectionState,
    Environment,
    Generation,
    Lane,
    Lead,
    LeadAlias,
    Outbox,
)
from storage.outbox import Kind

READ_LEADS = "supply::negotiations.read"
READ_MESSAGES = "supply::messages.read"
"""What a connection must be allowed so that a lead, or what was said about it, can be read (Thumbtack's OpenAPI)."""

CALLS_PER_HOUR = 720
"""Thumbtack publishes no limit for pros; for its Demand API it is 360 calls a minute. This is a thirtieth of that, so
that replies, which share whatever limit there is, never wait because of it. It is enough for 90 new leads a day."""

CALLS_PER_LEAD = 2
"""The lead and its messages; one more only where over 20 messages were written since the last time."""

EVERY = timedelta(minutes=1)
"""How often it is looked which leads are due."""

AT_ONCE = int(CALLS_PER_HOUR * (EVERY / timedelta(hours=1)) / CALLS_PER_LEAD)
"""How many leads are asked about in one turn, those whose answer is still awaited among them."""

SCHEDULE = (
    (timedelta(hours=1), timedelta(minutes=10)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=50), timedelta(days=1)),
)
"""Up to which age of a lead it is asked about how often. A refund may be asked for within 45 days and takes up to three."""

FIRST_AFTER, SELDOM = SCHEDULE[0][1], SCHEDULE[-1][1]
OFTEN = SCHEDULE[-2][1]
FOLLOWED_FOR = SCHEDULE[-1][0]

OVERLAP = timedelta(hours=1)
"""How far before the last time messages are read again: a message may be listed later than its `sentAt` says."""

PAUSE = timedelta(minutes=5)
"""How long nothing is asked after Thumbtack said that it was too much and did not say for how long."""

POLLS = "thumbtack:polls"
"""The name under which that pause is kept, where the pace of Slack's channels is too."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A lead that can be asked about: its id at v4, and over which connection. `leads`, `messages`: what may be read."""

    negotiation_id: str
    connection_id: int
    leads: bool
    messages: bool


async def due(tx: Transaction, *, environment: Environment, now: datetime) -> Sequence[int]:
    """The leads that v4 is to be asked about now, within the budget; none during a pause.

    To be read beside the writer: where there are very many leads, they are looked through for seconds.
    """
    if await paused_until(tx, now=now) is not None:
        return []
    return await _due(tx, environment, now=now, limit=AT_ONCE - await _awaited(tx))


async def enqueue(tx: Transaction, lead_ids: Sequence[int], *, now: datetime) -> int:
    """Let v4 be asked about leads that were `due`; returns how many. Not about one that is to be asked about already."""
    query = select(Lead).where(col(Lead.id).in_(lead_ids), col(Lead.joined_id).is_(None), *_worth_it())
    found = (await tx.execute(query)).scalars().all()
    for lead in sorted(found, key=lambda one: lead_ids.index(leads.known(one.id))):
        lead.poll_at = now + pause_of(lead, now=now)
        await outbox.enqueue(tx, Kind.SYNC_LEAD, now=now, lead_id=lead.id)
    return len(found)


async def hasten(tx: Transaction, *, environment: Environment, now: datetime) -> None:
    """Webhooks may have been lost: leads of the last week are asked about now, within the same budget."""
    await tx.execute(
        update(Lead)
        .where(col(Lead.environment) == environment, col(Lead.poll_at) > now, col(Lead.poll_at) <= now + OFTEN)
        .values(poll_at=now)
        .execution_options(synchronize_session=False)
    )


def pause_of(lead: Lead, *, now: datetime) -> timedelta:
    """How long until a lead is worth asking about again, by its age; seldom once it is canceled."""
    if (lead.status or "").casefold() in {"canceled", "cancelled"}:
        return SELDOM
    age = now - (lead.received_at or lead.announced_at or now)
    return next((pause for up_to, pause in SCHEDULE if age < up_to), SELDOM)


def put_off(lead: Lead, until: datetime) -> None:
    """Thumbtack could not be asked about a lead: not before then again."""
    lead.poll_at = until


async def pause(tx: Transaction, *, until: datetime) -> None:
    """Thumbtack asks us to slow down: no lead is asked about before then."""
    await lanes.quiet(tx, POLLS, until)


async def paused_until(tx: Transaction, *, now: datetime) -> datetime | None:
    """When leads may be asked about again; None where that is now."""
    query = select(col(Lane.next_at)).where(col(Lane.key) == lanes.pace_key(POLLS), col(Lane.next_at) > now)
    until: datetime | None = (await tx.execute(query)).scalar_one_or_none()
    return until


async def followed(tx: Transaction, lead: Lead) -> Followed | None:
    """How a lead can be asked about; None where it cannot: it did not come by v4, or nobody may read it."""
    found = await connections.of_business(tx, lead.business_id, Generation.V4)
    negotiation_id = await leads.id_in(tx, lead, Generation.V4)
    if found is None or found.state != ConnectionState.ACTIVE or negotiation_id is None or not _may_read(found):
        return None
    return Followed(
        negotiation_id=negotiation_id,
        connection_id=leads.known(found.id),
        leads=READ_LEADS in found.scopes,
        messages=READ_MESSAGES in found.scopes,
    )


async def readers(tx: Transaction, lead: Lead) -> Sequence[int]:
    """The connections that may know a lead that we do not: its business's, or each where none was named."""
    live = await connections.live(tx, environment=lead.environment)
    able = [leads.known(one.id) for one in live if _is_active(one) and READ_LEADS in one.scopes]
    if lead.business_id is None:
        return able
    found = await connections.of_business(tx, lead.business_id, Generation.V4)
    return [one for one in able if found is not None and one == found.id]


async def _due(tx: Transaction, environment: Environment, *, now: datetime, limit: int) -> Sequence[int]:
    """The leads that are due, the longest due first, so that none is forgotten however many there are."""
    live = await connections.live(tx, environment=environment)
    able = [leads.known(one.id) for one in live if _is_active(one) and _may_read(one)]
    if limit <= 0 or not able:
        return []
    businesses = select(col(ConnectionBusiness.business_id)).where(col(ConnectionBusiness.connection_id).in_(able))
    begun = func.coalesce(col(Lead.received_at), col(Lead.announced_at))
    query = (
        select(col(Lead.id))
        .where(
            col(Lead.environment) == environment,
            col(Lead.business_id).in_(businesses),
            col(Lead.is_test).is_(False),
            col(Lead.joined_id).is_(None),
            begun > now - FOLLOWED_FOR,
            or_(col(Lead.poll_at) <= now, and_(col(Lead.poll_at).is_(None), begun <= now - FIRST_AFTER)),
            *_worth_it(),
        )
        .order_by(func.coalesce(col(Lead.poll_at), begun), col(Lead.id))
        .limit(limit)
    )
    return [leads.known(found) for found in (await tx.execute(query)).scalars()]


def _worth_it() -> list[ColumnElement[bool]]:
    """Leads that v4 knows, that may still change, and of which no answer is awaited already."""
    alias = select(col(LeadAlias.id)).where(
        col(LeadAlias.lead_id) == col(Lead.id), col(LeadAlias.generation) == Generation.V4
    )
    awaited = select(col(Outbox.id)).where(
        col(Outbox.lead_id) == col(Lead.id), col(Outbox.kind) == Kind.SYNC_LEAD, col(Outbox.settled_at).is_(None)
    )
    return [
        or_(col(Lead.generation) == Generation.V4, alias.exists()),
        func.coalesce(col(Lead.charge_state), "") != "Refunded",
        ~awaited.exists(),
    ]


async def _awaited(tx: Transaction) -> int:
    query = select(func.count()).where(col(Outbox.settled_at).is_(None), col(Outbox.kind) == Kind.SYNC_LEAD)
    count: int = (await tx.execute(query)).scalar_one()
    return count


def _is_active(connection: Connection) -> bool:
    return connection.generation == Generation.V4 and connection.state == ConnectionState.ACTIVE


def _may_read(connection: Connection) -> bool:
    return READ_LEADS in connection.scopes or READ_MESSAGES in connection.scopes
