"""When Thumbtack told us something about each business: where that is long ago, something may be wrong."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from storage import presence, targeting
from storage.columns import word
from storage.database import Transaction
from storage.models import Business, Direction, Environment, Lead, Message, Review, Targeting, Webhook

A_DAY = timedelta(days=1)
"""Who had a lead since then is not silent, and is not looked at."""

LEADS = 100
"""How many of a business's last leads tell its habit."""

_ARRIVED = (col(Lead.is_test).is_(False), col(Lead.joined_id).is_(None), col(Lead.received_at).is_not(None))


async def last_heard(tx: Transaction, business_ids: Collection[int]) -> Mapping[int, datetime]:
    """When a lead, a message, a review or anything by its own webhook came last, by business; those heard of alone."""
    lead_of, review_of, hook_of = col(Lead.business_id), col(Review.business_id), col(Webhook.business_id)
    queries = (
        select(lead_of, func.max(col(Lead.received_at))).where(lead_of.in_(business_ids)).group_by(lead_of),
        select(lead_of, func.max(col(Message.stored_at)))
        .join(Lead, col(Message.lead_id) == col(Lead.id))
        .where(lead_of.in_(business_ids), col(Message.direction) == word(Direction.INBOUND))
        .group_by(lead_of),
        select(review_of, func.max(col(Review.received_at))).where(review_of.in_(business_ids)).group_by(review_of),
        select(hook_of, col(Webhook.last_delivery_at)).where(hook_of.in_(business_ids)),
    )
    found: dict[int, datetime] = {}
    for query in queries:
        for business_id, at in (await tx.execute(query)).all():
            if business_id is not None and at is not None:
                found[business_id] = max(at, found.get(business_id, at))
    return found


@dataclass(frozen=True, kw_only=True)
class Habit:
    """When a business's leads came (`times`, the last ones, in order), and whether more are to be expected.

    `since`: since when nothing was heard of it although something could have been: it was not paused, and somebody was
    there. `last`: its last lead.
    """

    business: Business
    times: Sequence[datetime]
    last: Lead
    since: datetime
    is_paused: bool


async def silent(tx: Transaction, *, environment: Environment) -> int:
    """Of how many businesses the keepers were told that nothing comes, and no lead came since; not of paused ones."""
    newest = (
        select(col(Lead.received_at))
        .where(col(Lead.business_id) == col(Business.id), *_ARRIVED)
        .order_by(col(Lead.received_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    paused = select(col(Targeting.id)).where(
        col(Targeting.business_id) == col(Business.id), col(Targeting.set_enabled).is_(False)
    )
    told_at = col(Business.silence_told_at)
    query = select(func.count()).where(
        col(Business.environment) == environment,
        col(Business.disconnected_at).is_(None),
        told_at.is_not(None),
        newest <= told_at,
        ~paused.exists(),
    )
    count: int = (await tx.execute(query)).scalar_one()
    return count


async def habits(tx: Transaction, *, environment: Environment, now: datetime) -> Sequence[Habit]:
    """The habits of the businesses that had leads, but none for a day, and were not disconnected."""
    query = select(Business).where(col(Business.environment) == environment, col(Business.disconnected_at).is_(None))
    there = await presence.find(tx)
    found = []
    for business in (await tx.execute(query.order_by(col(Business.id)))).scalars().all():
        last = await _last(tx, business)
        if last is not None and last.received_at is not None and now - last.received_at > A_DAY:
            found.append(await _habit(tx, business, last, back_at=there.back_at if there else None))
    return found


async def _last(tx: Transaction, business: Business) -> Lead | None:
    query = select(Lead).where(col(Lead.business_id) == business.id, *_ARRIVED)
    found: Lead | None = (await tx.execute(query.order_by(col(Lead.received_at).desc()).limit(1))).scalar_one_or_none()
    return found


async def _times(tx: Transaction, business_id: int) -> Sequence[datetime]:
    """When its last leads came, in order: without the leads, of which a hundred are a megabyte."""
    came = col(Lead.received_at)
    query = select(came).where(col(Lead.business_id) == business_id, *_ARRIVED).order_by(came.desc()).limit(LEADS)
    return sorted(at for at in (await tx.execute(query)).scalars() if at is not None)


async def _habit(tx: Transaction, business: Business, last: Lead, *, back_at: datetime | None) -> Habit:
    business_id = business.id or 0
    set_, heard = await targeting.of_business(tx, business_id), await last_heard(tx, [business_id])
    since = (last.received_at, heard.get(business_id), back_at, *(row.set_at for row in set_))
    return Habit(
        business=business,
        times=await _times(tx, business_id),
        last=last,
        since=max(at for at in since if at is not None),
        is_paused=any(row.set_enabled is False for row in set_),
    )
