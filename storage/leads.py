"""Leads: one row per request to a business, filled by whatever arrives about it, never emptied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlmodel import col

from storage import businesses, lanes
from storage.adding import adding, defaults
from storage.businesses import BUSINESS, CUSTOMER
from storage.database import Transaction
from storage.merging import lacking
from storage.models import Business, Customer, Environment, Generation, Lead, LeadAlias, LeadCharge, LeadEvent
from storage.prepared import Prepared
from storage.whole import Whole, parts, written

CHANGES = 64
"""How many statements are kept, each of which changes other columns: bodies fill what those before them left empty."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a body changed. `arrived`: the lead itself came for the first time; `filled`: columns that were empty.

    `is_first`: nothing was known of it before, not even that somebody wrote.
    """

    lead: Lead
    arrived: bool
    filled: frozenset[str]
    is_first: bool = False


async def get(tx: Transaction, lead_id: int) -> Lead | None:
    """A lead by our id; where that one joined another (see `storage.joining`), the other."""
    lead = await LEAD.get(tx, lead_id)
    return lead if lead is None or lead.joined_id is None else await get(tx, lead.joined_id)


async def to_change(tx: Transaction, lead_id: int | None) -> Lead | None:
    """Like `get`, for changing what the team does with it: nobody else changes it until this transaction ends.

    Whoever also changes one of its messages takes that one first (see `messages.to_change`).
    """
    if lead_id is None:
        return None
    lead = await tx.get(Lead, lead_id, **lanes.for_changing(tx))
    return lead if lead is None or lead.joined_id is None else await to_change(tx, lead.joined_id)


def _is_called() -> ColumnElement[bool]:
    """What is so of the leads that an API calls so, by its own id or by the other API's: one, or two where one joined the other."""
    alias = select(col(LeadAlias.lead_id)).where(
        col(LeadAlias.environment) == bindparam("environment"), col(LeadAlias.thumbtack_id) == bindparam("called")
    )
    own = and_(col(Lead.environment) == bindparam("environment"), col(Lead.thumbtack_id) == bindparam("called"))
    return or_(own, col(Lead.id).in_(alias))


def _found() -> Select[*tuple[Any, ...]]:
    """These leads, with their businesses and customers, whom whoever looks for a lead asks for next."""
    return (
        select(*LEAD.columns, *BUSINESS.columns, *CUSTOMER.columns)
        .outerjoin(Business, col(Business.id) == col(Lead.business_id))
        .outerjoin(Customer, col(Customer.id) == col(Lead.customer_id))
        .where(IS_CALLED)
    )


async def find(tx: Transaction, environment: Environment, thumbtack_id: str) -> Lead | None:
    """A lead by Thumbtack's id, whichever of its APIs calls it so."""
    found = [_joined(tx, row) for row in await _FOUND.all(tx, environment=environment, called=thumbtack_id)]
    if not found:
        return None
    lead = next((one for one in found if one.thumbtack_id == thumbtack_id), found[0])
    return lead if lead.joined_id is None else await get(tx, lead.joined_id)


def _joined(tx: Transaction, row: Sequence[Any]) -> Lead:
    lead, business, customer = parts(row, LEAD, BUSINESS, CUSTOMER)
    businesses.keep(tx, BUSINESS.any_of(tx, business), CUSTOMER.any_of(tx, customer))
    return LEAD.of(tx, lead)


async def find_to_change(tx: Transaction, environment: Environment, thumbtack_id: str) -> Lead | None:
    """Like `find`: the lead as it stands, and no other webhook about it is taken in until this transaction ends.

    Webhooks that call it by its other id come in another lane of the inbox, perhaps on another replica. What is held is
    a name, not the row: whoever holds one of the lead's messages and changes the lead does not wait for us.
    """
    if lanes.is_alone(tx):
        return await find(tx, environment, thumbtack_id)
    return await hold(tx, await find(tx, environment, thumbtack_id))


async def lock(tx: Transaction, lead_id: int) -> None:
    """Take in nothing else about a lead until this transaction ends."""
    await lanes.lock(tx, f"lead:{lead_id}")


async def hold(tx: Transaction, lead: Lead | None) -> Lead | None:
    """Likewise of a lead that was found; where it joined another meanwhile, that one."""
    while lead is not None:
        await lock(tx, known(lead.id))
        query = select(Lead).where(col(Lead.id) == lead.id).execution_options(populate_existing=True)
        lead = (await tx.execute(query)).scalar_one_or_none()
        if lead is None or lead.joined_id is None:
            break
        lead = await tx.get(Lead, lead.joined_id)
    return lead


async def id_in(tx: Transaction, lead: Lead, generation: Generation) -> str | None:
    """What an API calls a lead; None where that API never told of it."""
    if lead.generation == generation:
        return lead.thumbtack_id
    found: str | None = await _ID_IN.scalar(tx, lead=lead.id, generation=generation)
    return found


async def merge(
    tx: Transaction,
    *,
    environment: Environment,
    thumbtack_id: str,
    values: Mapping[str, Any],
    now: datetime,
    of_new: Mapping[str, Any] | None = None,
) -> Merged:
    """Take in a lead's own body: `values` (columns of Lead) fill what is empty and never empty what is filled.

    `of_new`: columns of one that was not heard of before.
    """
    lead = await find_to_change(tx, environment, thumbtack_id)
    if lead is None:
        lead, filled = await _add(tx, environment, thumbtack_id, values, received_at=now, **of_new or {})
        await _happened(tx, lead, kind="received", now=now)
        return Merged(lead=lead, arrived=True, filled=filled, is_first=True)
    arrived = lead.received_at is None
    filled = await _fill(tx, lead, values, **({"received_at": now} if arrived else {}))
    if arrived:
        await _happened(tx, lead, kind="received", now=now)
    return Merged(lead=lead, arrived=arrived, filled=filled)


async def placeholder(
    tx: Transaction,
    *,
    environment: Environment,
    thumbtack_id: str,
    values: Mapping[str, Any],
    now: datetime,
) -> Merged:
    """The lead something else names (a message, a review, a price); a placeholder where it was not heard of."""
    lead = await find_to_change(tx, environment, thumbtack_id)
    if lead is None:
        lead, filled = await _add(tx, environment, thumbtack_id, values)
        await _happened(tx, lead, kind="named", now=now)
    else:
        filled = await _fill(tx, lead, values)
    return Merged(lead=lead, arrived=False, filled=filled)


async def _fill(tx: Transaction, lead: Lead, values: Mapping[str, Any], **besides: Any) -> frozenset[str]:
    """See `storage.merging.fill`."""
    told = lacking({name: getattr(lead, name) for name in values}, values)
    await change(tx, lead, **told, **besides)
    return frozenset(told.keys() - {"extra"})


async def _add(
    tx: Transaction,
    environment: Environment,
    thumbtack_id: str,
    values: Mapping[str, Any],
    **besides: Any,
) -> tuple[Lead, frozenset[str]]:
    """A new lead, and which of its columns were told."""
    row = {**_EMPTY, "environment": environment, "thumbtack_id": thumbtack_id, "generation": values["generation"]}
    told = lacking(row, values)
    row |= {**told, **besides}
    row["id"] = await _ADD.scalar(tx, **row)
    return LEAD.named(tx, row), frozenset(told.keys() - {"extra"})


async def change(tx: Transaction, lead: Lead, **values: Any) -> None:
    """Set columns of a lead at once, where it does not have them so."""
    changes = {name: value for name, value in values.items() if getattr(lead, name) != value}
    if changes:
        await _changing(*changes).changed(tx, of_id=lead.id, **{f"new_{name}": changes[name] for name in changes})
        written(lead, changes)


@lru_cache(maxsize=CHANGES)
def _changing(*names: str) -> Prepared:
    """The statement that changes these columns (named `new_…`): building it takes longer than executing it."""
    return Prepared(
        update(Lead)
        .where(col(Lead.id) == bindparam("of_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


async def charge(
    tx: Transaction, lead: Lead, *, raw: str | None, cents: int | None, state: str | None, source: str, now: datetime
) -> bool:
    """Take in what the lead costs; False where that is what we knew. Last to arrive wins; every change is kept."""
    if (raw, state) == (lead.charge_text, lead.charge_state):
        return False
    await change(tx, lead, charge_text=raw, charge_cents=cents, charge_state=state)
    await _CHARGED.scalar(tx, lead_id=known(lead.id), raw=raw, cents=cents, state=state, source=source, at=now)
    return True


async def _happened(tx: Transaction, lead: Lead, *, kind: str, now: datetime) -> None:
    """Append to what happened to a lead at Thumbtack."""
    await _HAPPENED.scalar(tx, lead_id=known(lead.id), kind=kind, via="thumbtack", at=now)


def record(tx: Transaction, lead: Lead, *, kind: str, via: str, now: datetime, actor: str | None = None) -> None:
    """Append to what happened to a lead."""
    tx.add(LeadEvent(lead_id=known(lead.id), kind=kind, actor=actor, via=via, at=now))


def answered(
    tx: Transaction, lead: Lead, *, actor: str | None, via: str, now: datetime, ends_wait: bool = True
) -> None:
    """The team answered the customer, who waits no more; the first time counts for the response time.

    `ends_wait`: False where the customer wrote once more after that.
    """
    if lead.first_answer_at is None:
        lead.first_answer_at, lead.first_answer_by, lead.first_answer_via = now, actor, via
    if ends_wait:
        lead.waiting_since = lead.snoozed_until = None
    record(tx, lead, kind="answered", via=via, actor=actor, now=now)


async def posted(tx: Transaction, lead_id: int, *, is_first: bool, now: datetime) -> None:
    """A lead's card stands in Slack; `is_first`: none did before. It is not to be held as an object by this transaction."""
    if is_first:
        await _POSTED.changed(tx, of_id=lead_id, now=now)
    await _HAPPENED.scalar(tx, lead_id=lead_id, kind="posted", via="slack", at=now)


async def id_now(tx: Transaction, lead_id: int) -> int | None:
    """The id of a lead, or of the one that it joined (see `get`); None where it is gone."""
    found = await _JOINED.first(tx, of=lead_id)
    if found is None:
        return None
    return lead_id if found.joined_id is None else await id_now(tx, found.joined_id)


async def contacted_before(tx: Transaction, lead: Lead) -> datetime | None:
    """When this customer asked this business last before this lead; None where they never did. Tests do not count."""
    if lead.customer_id is None:
        return None
    found: datetime | None = await _CONTACTED_BEFORE.scalar(tx, customer=lead.customer_id, lead=lead.id)
    return found


async def answered_since(tx: Transaction, lead: Lead, since: datetime) -> bool:
    """Whether the team answered the customer at this time or later."""
    if lead.first_answer_at is None:
        return False
    return await _ANSWERED_SINCE.first(tx, lead=lead.id, since=since) is not None


async def is_first_posted(tx: Transaction, lead: Lead) -> bool:
    """Whether this lead's card is the first that was ever posted: that one explains more."""
    return await _FIRST_POSTED.scalar(tx) in (None, lead.id)


async def newest(tx: Transaction, environment: Environment, *, limit: int) -> Sequence[Lead]:
    """The leads that came last, the newest first, without those that are only named by something else."""
    query = select(Lead).where(
        col(Lead.environment) == environment, col(Lead.received_at).is_not(None), col(Lead.joined_id).is_(None)
    )
    return (await tx.execute(query.order_by(col(Lead.id).desc()).limit(limit))).scalars().all()


async def posted_since(tx: Transaction, business_ids: Sequence[int], *, since: datetime, limit: int) -> Sequence[int]:
    """The ids of leads of these businesses whose card was posted since then, the newest first."""
    query = select(col(Lead.id)).where(col(Lead.business_id).in_(business_ids), col(Lead.posted_at) >= since)
    found = (await tx.execute(query.order_by(col(Lead.id).desc()).limit(limit))).scalars()
    return [known(lead_id) for lead_id in found]


def known(row_id: int | None) -> int:
    """The id of a row that is in the database; a mistake of ours raises AssertionError."""
    if row_id is None:
        raise AssertionError("the row was not flushed")
    return row_id


# Asked for each webhook and each card; building them takes longer than asking them.
_ID_IN = Prepared(
    select(col(LeadAlias.thumbtack_id))
    .where(col(LeadAlias.lead_id) == bindparam("lead"), col(LeadAlias.generation) == bindparam("generation"))
    .order_by(col(LeadAlias.id))
    .limit(1)
)
_CONTACTED_BEFORE = Prepared(
    select(func.coalesce(col(Lead.created_at), col(Lead.received_at)))
    .where(
        col(Lead.customer_id) == bindparam("customer"),
        col(Lead.id) < bindparam("lead"),
        col(Lead.joined_id).is_(None),
        col(Lead.received_at).is_not(None),
    )
    .order_by(col(Lead.id).desc())
    .limit(1)
)
_ANSWERED_SINCE = Prepared(
    select(col(LeadEvent.id))
    .where(
        col(LeadEvent.lead_id) == bindparam("lead"),
        col(LeadEvent.at) >= bindparam("since"),
        col(LeadEvent.kind) == "answered",
    )
    .order_by(col(LeadEvent.at).desc())
    .limit(1)
)
_FIRST_POSTED = Prepared(select(col(Lead.id)).where(col(Lead.posted_at).is_not(None)).order_by(col(Lead.id)).limit(1))
_JOINED = Prepared(select(col(Lead.joined_id)).where(col(Lead.id) == bindparam("of")))
_POSTED = Prepared(update(Lead).where(col(Lead.id) == bindparam("of_id")).values(posted_at=bindparam("now")))
LEAD = Whole(Lead)
IS_CALLED = _is_called()
_FOUND = Prepared(_found())
_EMPTY = {name: value for name, value in defaults(Lead).items() if name != "id"}
_ADD = adding(Lead, *(name for name in LEAD.names if name != "id"))
_CHARGED = adding(LeadCharge, "lead_id", "raw", "cents", "state", "source", "at")
_HAPPENED = adding(LeadEvent, "lead_id", "kind", "via", "at")
