"""Which businesses a new connection speaks for: linked once it is known, told in Slack, and written into the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from storage import audit, businesses, connections, erasing, outbox, resuming
from storage.connections import LIVE
from storage.database import Transaction
from storage.models import Business, Connection, Generation
from storage.outbox import Kind, webhook_lane
from webhooks import cards
from webhooks.thumbtack import errors
from webhooks.thumbtack.facts import BusinessRef
from webhooks.thumbtack.records import Grant

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What became of a consent so far. `names`: the businesses, none while it is not known which.

    `picks`: a person must say which. `left_out`: the business that was to be connected again and is not among them.
    `kept`: those whose erasure it cancelled.
    """

    team_id: str
    names: tuple[str, ...] = ()
    picks: bool = False
    left_out: str | None = None
    kept: tuple[str, ...] = ()


def must_be_picked(error: errors.CallError) -> bool:
    """Whether Thumbtack will not say which businesses a token is for, also not later: then a person says it."""
    return isinstance(error, errors.ScopeMissing | errors.RequestRejected | errors.UnexpectedResponse)


async def link(
    tx: Transaction, connection_id: int, grant: Grant, *, wanted: int | None, now: datetime
) -> Linked | None:
    """Let a connection speak for the businesses that Thumbtack named; None where the connection is over.

    Done twice it has one effect. A grant without businesses leaves it to a person to pick them.
    """
    connection = await connections.to_change(tx, connection_id)
    if connection is None or connection.state not in LIVE:
        return None
    known = await connections.businesses_of(tx, connection_id)
    if known:
        return Linked(team_id=connection.team_id, names=tuple(map(name_of, known)))
    if grant.scopes:
        connection.scopes = list(grant.scopes)
    if not grant.businesses:
        return Linked(team_id=connection.team_id, picks=True)
    found = [await _row(tx, connection, one, now=now) for one in grant.businesses]
    return await _linked(tx, connection, found, wanted=wanted, by=connection.connected_by, now=now)


async def pick(
    tx: Transaction, connection_id: int, business_id: int, *, team_id: str, user_id: str, now: datetime
) -> Linked | None:
    """A person says that a connection is for this business; None where either is not there any more.

    Said twice it has one effect.
    """
    connection = await connections.to_change(tx, connection_id)
    business = await businesses.get(tx, business_id)
    if connection is None or connection.team_id != team_id or connection.state not in LIVE:
        return None
    if business is None or business.environment != connection.environment:
        return None
    if business_id in await connections.business_ids_of(tx, connection_id):
        return Linked(team_id=team_id, names=(name_of(business),))
    return await _linked(tx, connection, [business], wanted=None, by=user_id, now=now)


async def give_up(tx: Transaction, connection_id: int, *, now: datetime) -> None:
    """Thumbtack refuses the tokens it just gave: they are forgotten."""
    connection = await connections.to_change(tx, connection_id)
    if connection is not None:
        connections.end(connection, now=now)


def name_of(business: Business) -> str:
    """What people call a business; its id where Thumbtack never said its name."""
    return business.name or business.thumbtack_id


async def _row(tx: Transaction, connection: Connection, named: BusinessRef, *, now: datetime) -> Business:
    business, _ = await businesses.ensure(
        tx, environment=connection.environment, thumbtack_id=named.thumbtack_id, name=named.name, now=now
    )
    return business


async def _linked(
    tx: Transaction, connection: Connection, found: Sequence[Business], *, wanted: int | None, by: str, now: datetime
) -> Linked:
    """Everything that follows from a connection speaking for these businesses."""
    ids = [business.id or 0 for business in found]
    before = {one: await connections.of_business(tx, one, connection.generation) for one in ids}
    ended = await connections.link(tx, connection, ids, now=now)
    await resuming.release(tx, ids, now=now)
    await cards.refresh(tx, ids, now=now)
    kept = tuple([name_of(one) for one in found if await erasing.cancel(tx, business_id=one.id or 0, now=now)])
    for business in found:
        _audit(tx, connection, business, older=before[business.id or 0], by=by, now=now)
    left_out = None if wanted is None or wanted in ids else await businesses.get(tx, wanted)
    names = tuple(map(name_of, found))
    payload = {
        "notice": "connected",
        "connection_id": connection.id,
        "business_ids": ids,
        "by": by,
        "left_out": None if left_out is None else left_out.id,
        "kept": list(kept),
    }
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
    if connection.generation == Generation.V4:
        await _set_webhooks(tx, connection, ids, now=now)
    log.info(
        "connected", connection_id=connection.id, businesses=len(ids), generation=connection.generation, ended=ended
    )
    return Linked(
        team_id=connection.team_id,
        names=names,
        left_out=None if left_out is None else name_of(left_out),
        kept=kept,
    )


async def _set_webhooks(tx: Transaction, connection: Connection, business_ids: Sequence[int], *, now: datetime) -> None:
    """Let Thumbtack bring us what happens to these businesses, where it does not yet."""
    for business_id in business_ids:
        payload = {"business_id": business_id, "team_id": connection.team_id, "user": connection.connected_by}
        await outbox.enqueue(tx, Kind.SET_WEBHOOK, now=now, lane=webhook_lane(business_id), payload=payload)


def _audit(
    tx: Transaction, connection: Connection, business: Business, *, older: Connection | None, by: str, now: datetime
) -> None:
    before = {} if older is None else {"connection": older.id, "scopes": older.scopes, "state": older.state}
    audit.record(
        tx,
        team_id=connection.team_id,
        actor=by,
        action="connected",
        subject=connection.generation,
        business_id=business.id,
        before=before,
        after={"connection": connection.id, "scopes": connection.scopes},
        now=now,
    )
