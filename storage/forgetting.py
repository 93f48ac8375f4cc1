"""Deletes what is known of a business, or of old leads, and tells where its posts stand, for these go later.

All rows are held first, the leads before what refers to them, so that nothing new can be said about a lead while it is
deleted. Nobody is waited for: where another transaction has one of the rows, nothing is done yet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage import posts
from storage.database import Transaction
from storage.models import (
    Audit,
    Business,
    ConnectionBusiness,
    Consent,
    Customer,
    Environment,
    Erasure,
    FirstReply,
    Inbox,
    Lead,
    LeadAlias,
    LeadCharge,
    LeadEvent,
    Message,
    Outbox,
    Phone,
    Review,
    Route,
    Row,
    Targeting,
    Thread,
    Webhook,
    WorkState,
)
from storage.outbox import Kind, phones_lane, targeting_lane
from storage.posts import Leads, Place

STRAYS_AT_ONCE = 1_000
"""How many old webhooks one transaction forgets, so that nobody waits long for it."""

ANSWERED = (WorkState.DONE, WorkState.DEAD, WorkState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What was deleted, counted, and where posts of it still stand."""

    counts: dict[str, int]
    places: list[Place]


async def business(tx: Transaction, gone: Business, *, now: datetime) -> Forgotten | None:
    """Delete everything of a business, itself too; None, and nothing is deleted, while something of it is being said."""
    business_id, leads = gone.id or 0, _leads_of(gone.id or 0)
    bodies = _bodies(gone.environment, gone.thumbtack_id)
    is_ours = await _hold(tx, Business, col(Business.id) == business_id) and await _hold_leads(tx, leads, now=now)
    alone = and_(col(Review.business_id) == business_id, col(Review.lead_id).is_(None))
    if not is_ours or not await _hold(tx, Inbox, bodies) or await _is_posted_now(tx, alone, now=now):
        return None
    standing = {*await posts.of_leads(tx, leads), *await posts.of_reviews(tx, alone)}
    counts = Counter[str]()
    counts["webhooks"] = await _delete(tx, Inbox, bodies)
    counts["entries"] = await _forget_entries(tx, gone)
    counts += await _forget_leads(tx, leads)
    counts["reviews"] += await _delete(tx, Review, col(Review.business_id) == business_id)
    await _part_customers(tx, business_id)
    counts["customers"] += await _delete(tx, Customer, col(Customer.business_id) == business_id)
    counts["phone_numbers"] = await _delete(tx, Phone, col(Phone.business_id) == business_id)
    for row in (Targeting, Webhook, Consent, ConnectionBusiness):
        await _delete(tx, row, col(row.business_id) == business_id)
    await _forget_names(tx, business_id)
    await _forget_rules(tx, gone)
    await _delete(tx, Business, col(Business.id) == business_id)
    return Forgotten(counts=dict(counts), places=sorted(standing, key=str))


async def leads(tx: Transaction, lead_ids: Sequence[int], *, now: datetime) -> Forgotten | None:
    """Delete these leads and what is theirs, customers too who have no other; None while something is being said."""
    joined = select(col(Lead.id)).where(col(Lead.joined_id).in_(lead_ids))
    lead_ids = [*lead_ids, *(one for one in (await tx.execute(joined)).scalars() if one is not None)]
    if not await _hold_leads(tx, lead_ids, now=now):
        return None
    standing = await posts.of_leads(tx, lead_ids)
    counts = await _forget_leads(tx, lead_ids)
    return Forgotten(counts=dict(counts), places=sorted(standing, key=str))


async def strays(tx: Transaction, *, before: datetime) -> Forgotten:
    """Forget some old webhooks whose lead is no more, old reviews without a lead, and old customers without one.

    The two APIs call a customer by two ids: the one that its lead does not use is of no use. Nothing where none is left.
    """
    unknown = [
        ~select(col(row.id))
        .where(col(row.environment) == col(Inbox.environment), col(row.thumbtack_id) == col(Inbox.lead_thumbtack_id))
        .exists()
        for row in (Lead, LeadAlias)
    ]
    old = and_(col(Inbox.received_at) < before, col(Inbox.settled_at).is_not(None), *unknown)
    bodies = select(col(Inbox.id)).where(old).order_by(col(Inbox.id)).limit(STRAYS_AT_ONCE)
    quiet = or_(col(Review.modified_at).is_(None), col(Review.modified_at) < before)
    alone = and_(col(Review.lead_id).is_(None), col(Review.received_at) < before, quiet)
    standing = await posts.of_reviews(tx, alone)
    lonely = select(col(Customer.id)).where(col(Customer.created_at) < before, ~_leads_of_customer().exists())
    idle = (await tx.execute(lonely.limit(STRAYS_AT_ONCE).with_for_update(skip_locked=True))).scalars().all()
    counts = {
        "reviews": await _delete(tx, Review, alone),
        "webhooks": await _delete(tx, Inbox, col(Inbox.id).in_(bodies)),
        "customers": await _forget_lonely(tx, idle),
    }
    return Forgotten(counts=counts, places=sorted(standing, key=str))


async def webhooks(tx: Transaction, *, environment: Environment, business_thumbtack_id: str) -> int:
    """Delete the webhooks of a business that is not known otherwise; returns how many."""
    return await _delete(tx, Inbox, _bodies(environment, business_thumbtack_id))


async def count_leads(tx: Transaction, business_id: int) -> int:
    """How many leads a business has here."""
    query = select(func.count()).select_from(Lead).where(col(Lead.business_id) == business_id)
    return (await tx.execute(query)).scalar_one()


# Holding


async def _hold_leads(tx: Transaction, leads: Leads, *, now: datetime) -> bool:
    """Hold leads and what is said about them; False while something about them is being written or said."""
    unsettled = and_(col(Outbox.settled_at).is_(None), col(Outbox.lead_id).in_(leads))
    wanted = (
        (Lead, col(Lead.id).in_(leads)),
        (Customer, col(Customer.id).in_(select(col(Lead.customer_id)).where(col(Lead.id).in_(leads)))),
        (Message, col(Message.lead_id).in_(leads)),
        (Outbox, unsettled),
        (Inbox, _about_leads(leads)),
    )
    for row, which in wanted:
        if not await _hold(tx, row, which):
            return False
    under_way = select(col(Outbox.id)).where(unsettled, col(Outbox.claimed_until) > now)
    return (await tx.execute(under_way.limit(1))).first() is None


async def _is_posted_now(tx: Transaction, reviews: ColumnElement[bool], *, now: datetime) -> bool:
    """Whether a review that stands by itself is being posted."""
    found = (await tx.execute(select(col(Review.id)).where(reviews))).scalars()
    being_posted = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.claimed_until) > now,
        col(Outbox.lane).in_([posts.review_lane(one) for one in found]),
    )
    return (await tx.execute(being_posted.limit(1))).first() is not None


async def _hold(tx: Transaction, row: type[Any], which: ColumnElement[bool]) -> bool:
    """Hold these rows until this transaction ends; False where another one has some of them."""
    count = (await tx.execute(select(func.count()).select_from(row).where(which))).scalar_one()
    held = (await tx.execute(select(col(row.id)).where(which).with_for_update(skip_locked=True))).all()
    return len(held) >= count


# Deleting


def _leads_of(business_id: int) -> Select[Any]:
    """A business's leads, with those that joined one of them, which may not have known their business."""
    other = aliased(Lead)
    theirs = select(col(other.id)).where(col(other.business_id) == business_id)
    return select(col(Lead.id)).where(or_(col(Lead.business_id) == business_id, col(Lead.joined_id).in_(theirs)))


def _customers_of(business_id: int) -> Select[Any]:
    return select(col(Customer.id)).where(col(Customer.business_id) == business_id)


def _bodies(environment: str, business_thumbtack_id: str) -> ColumnElement[bool]:
    """Webhooks that name a business, and those about leads that such a webhook names."""
    named = aliased(Inbox)
    their_leads = select(col(named.lead_thumbtack_id)).where(
        col(named.environment) == environment,
        col(named.business_thumbtack_id) == business_thumbtack_id,
        col(named.lead_thumbtack_id).is_not(None),
    )
    unnamed = and_(col(Inbox.business_thumbtack_id).is_(None), col(Inbox.lead_thumbtack_id).in_(their_leads))
    about = or_(col(Inbox.business_thumbtack_id) == business_thumbtack_id, unnamed)
    # All of them before the first is deleted: SQLite would look for the others' leads in what is left.
    return col(Inbox.id).in_(select(col(Inbox.id)).where(col(Inbox.environment) == environment, about))


def _about_leads(leads: Leads) -> ColumnElement[bool]:
    """Webhooks about these leads; found from the leads, by an index, for the inbox is long."""
    one = aliased(Inbox)
    found = []
    for row, lead_id in ((Lead, col(Lead.id)), (LeadAlias, col(LeadAlias.lead_id))):
        named = and_(col(row.environment) == col(one.environment), col(row.thumbtack_id) == col(one.lead_thumbtack_id))
        found.append(select(col(one.id)).join(row, named).where(lead_id.in_(leads)))
    return or_(*(col(Inbox.id).in_(query) for query in found))


async def _forget_leads(tx: Transaction, leads: Leads) -> Counter[str]:
    messages = select(col(Message.id)).where(col(Message.lead_id).in_(leads))
    unattached = select(col(Thread.id)).where(
        col(Thread.lead_id).in_(leads),
        col(Thread.channel) == col(Message.channel),
        col(Thread.ts) == col(Message.thread_ts),
    )
    counts = Counter[str]()
    counts["webhooks"] = await _delete(tx, Inbox, _about_leads(leads))
    about = or_(col(Outbox.lead_id).in_(leads), col(Outbox.message_id).in_(messages))
    counts["entries"] = await _delete(tx, Outbox, about)
    counts["messages"] = await _delete(tx, Message, col(Message.lead_id).is_(None), unattached.exists())
    for name, row in (("threads", Thread), ("events", LeadEvent), ("charges", LeadCharge), ("reviews", Review)):
        counts[name] = await _delete(tx, row, col(row.lead_id).in_(leads))
    await _delete(tx, FirstReply, col(FirstReply.lead_id).in_(leads))
    counts["messages"] += await _delete(tx, Message, col(Message.lead_id).in_(leads))
    await _delete(tx, LeadAlias, col(LeadAlias.lead_id).in_(leads))
    of_leads = select(col(Lead.customer_id)).where(col(Lead.id).in_(leads), col(Lead.customer_id).is_not(None))
    customers = list((await tx.execute(of_leads.distinct())).scalars())
    counts["leads"] = await _delete(tx, Lead, col(Lead.id).in_(leads))
    counts["customers"] = await _forget_lonely(tx, customers)
    return counts


async def _forget_lonely(tx: Transaction, customers: Sequence[int | None]) -> int:
    """Customers without a lead go too."""
    gone = 0
    for start in range(0, len(customers), 500):
        some = customers[start : start + 500]
        gone += await _delete(tx, Customer, col(Customer.id).in_(some), ~_leads_of_customer().exists())
    return gone


def _leads_of_customer() -> Select[Any]:
    return select(col(Lead.id)).where(col(Lead.customer_id) == col(Customer.id))


async def _part_customers(tx: Transaction, business_id: int) -> None:
    """A lead of another business that has a customer of this one keeps its own data, without the customer."""
    await tx.execute(update(Lead).where(col(Lead.customer_id).in_(_customers_of(business_id))).values(customer_id=None))


@dataclass(frozen=True, kw_only=True)
class _About:
    """By what an entry is known to be about a business; keys are those of payloads."""

    ids: Mapping[str, set[Any]]
    lanes: set[str]

    def tells(self, entry: Outbox) -> bool:
        """All answers that were given go too: they hold words about anything."""
        if entry.kind == Kind.ANSWER:
            return entry.state in ANSWERED
        payload = entry.payload
        named = any(payload.get(key) in ids for key, ids in self.ids.items())
        businesses = self.ids["business_id"]
        return named or entry.lane in self.lanes or any(one in businesses for one in payload.get("business_ids") or ())


async def _about(tx: Transaction, gone: Business) -> _About:
    business_id = gone.id or 0
    of_it = {
        "review_id": select(col(Review.id)).where(col(Review.business_id) == business_id),
        "targeting_id": select(col(Targeting.id)).where(col(Targeting.business_id) == business_id),
        "phone_id": select(col(Phone.id)).where(col(Phone.business_id) == business_id),
    }
    ids: dict[str, set[Any]] = {key: set((await tx.execute(query)).scalars()) for key, query in of_it.items()}
    ids |= {"business_id": {business_id}, "thumbtack_id": {gone.thumbtack_id}}
    lanes = {targeting_lane(business_id), phones_lane(business_id)}
    return _About(ids=ids, lanes=lanes | {posts.review_lane(one) for one in ids["review_id"]})


async def _forget_entries(tx: Transaction, gone: Business) -> int:
    """Entries about the business itself. What tells Thumbtack that it is disconnected stays, and the erasure's own."""
    about, kept = await _about(tx, gone), (Kind.DISCONNECT, Kind.ERASE, Kind.DELETE_POSTS, Kind.TELL_ERASED)
    query = select(Outbox).where(
        col(Outbox.lead_id).is_(None), col(Outbox.message_id).is_(None), col(Outbox.kind).not_in(kept)
    )
    doomed = [entry.id for entry in (await tx.execute(query)).scalars() if about.tells(entry)]
    count = 0
    for start in range(0, len(doomed), 500):
        count += await _delete(tx, Outbox, col(Outbox.id).in_(doomed[start : start + 500]))
    return count


async def _forget_names(tx: Transaction, business_id: int) -> None:
    """The audit keeps who did what and when, without what it was changed from and to; so do earlier erasures."""
    await tx.execute(
        update(Audit).where(col(Audit.business_id) == business_id).values(subject=None, before={}, after={})
    )
    await tx.execute(
        update(Erasure)
        .where(col(Erasure.business_id) == business_id, col(Erasure.cancelled_at).is_not(None))
        .values(business_name=None, thumbtack_id=None)
    )


async def _forget_rules(tx: Transaction, gone: Business) -> None:
    """Rules that name the business, unless Thumbtack's other environment has one of that id too."""
    same = select(col(Business.id)).where(col(Business.thumbtack_id) == gone.thumbtack_id, col(Business.id) != gone.id)
    if (await tx.execute(same.limit(1))).first() is None:
        await _delete(tx, Route, col(Route.business) == gone.thumbtack_id)


async def _delete(tx: Transaction, row: type[Row], *which: ColumnElement[bool]) -> int:
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # a DELETE gives a CursorResult
        delete(row).where(*which).execution_options(synchronize_session=False)
    )
    return result.rowcount
