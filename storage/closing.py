"""A channel that nothing can be posted to any more, and one where that is mended: what waits moves, or goes on."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlmodel import col

from storage import businesses, channels, lanes, leads, renewing, reviews, routing, threads
from storage.database import Transaction, touch
from storage.models import Outbox, WorkState
from storage.outbox import TOPIC, Kind

_OF_A_REVIEW = (Kind.POST_REVIEW, Kind.POST_PHOTOS)


async def closed(
    tx: Transaction, *, team_id: str, channel: str, reason: str, now: datetime, default: str | None
) -> bool:
    """Nothing can be posted there any more; False where that was known.

    Cards that were to go there go where leads go now; what belongs into threads there waits until it is mended, and the
    next post is a trial (see `storage.lanes`). Where the channel was deleted, its leads get new cards once there is news.
    """
    is_news = await channels.close(tx, team_id=team_id, channel=channel, reason=reason, now=now)
    await lanes.quiet(tx, channel, now, held=True)
    for entry in await _waiting(tx, channel, col(Outbox.kind) == Kind.POST_LEAD):
        await move(tx, entry, now=now, default=default)
    for entry in await _waiting(tx, channel, col(Outbox.kind).in_(_OF_A_REVIEW), col(Outbox.lead_id).is_(None)):
        await _move_review(tx, entry, default=default)
    if reason == renewing.DELETED:
        await _give_up_threads(tx, channel, now=now, default=default)
    touch(tx, TOPIC)
    return is_news


async def move(tx: Transaction, entry: Outbox, *, now: datetime, default: str | None) -> str | None:
    """A card that was to go to a closed channel, and what follows it, goes where such leads go now.

    Returns where the card goes then; what it was where there is no other place. The entry is held by the caller.
    """
    lead = await leads.get(tx, leads.known(entry.lead_id))
    before = entry.channel
    if lead is None or before is None or lead.id != entry.lead_id:
        return before
    place = await routing.place_of(tx, lead, default=default)
    if place.channel in (None, before):
        return before
    lead.channel, lead.ring = place.channel, None if place.ring is None else list(place.ring)
    behind = [] if entry.lane is None else await _waiting(tx, before, col(Outbox.lane) == entry.lane)
    for one in {one.id: one for one in (entry, *behind)}.values():
        one.channel, one.due_at = place.channel, min(one.due_at, now)
    await tx.flush()
    return place.channel


async def move_one(tx: Transaction, entry_id: int, *, now: datetime, default: str | None) -> str | None:
    """Likewise for an entry that its caller holds, by its id."""
    entry = await tx.get_one(Outbox, entry_id)
    return await move(tx, entry, now=now, default=default)


async def mended(tx: Transaction, *, team_id: str, channel: str, now: datetime) -> bool:
    """One can post there again: what waits goes at once, in its order; False where nothing was known to be wrong."""
    was_closed = await channels.reopen(tx, team_id=team_id, channel=channel)
    await lanes.tried(tx, channel, now, held=False)
    waits = (
        select(col(Outbox.id))
        .where(
            col(Outbox.settled_at).is_(None),
            col(Outbox.channel) == channel,
            col(Outbox.attempt) > 0,
            col(Outbox.due_at) > now,
            col(Outbox.state) == WorkState.PENDING,
        )
        .with_for_update(skip_locked=True)
    )
    await tx.execute(
        update(Outbox).where(col(Outbox.id).in_(waits)).values(due_at=now).execution_options(synchronize_session=False)
    )
    touch(tx, TOPIC)
    return was_closed


async def _move_review(tx: Transaction, entry: Outbox, *, default: str | None) -> None:
    """A review that stands by itself, unless a part of it stands in the old channel already."""
    review = await reviews.get(tx, entry.payload.get("review_id", 0))
    if review is not None and review.slack_ts is None:
        business = await businesses.get(tx, review.business_id)
        place = await routing.place_for(tx, routing.Matter(business=business), default=default)
        entry.channel = place.channel or entry.channel
        await tx.flush()


async def _give_up_threads(tx: Transaction, channel: str, *, now: datetime, default: str | None) -> None:
    """The threads are gone: news of their leads come below new cards, and all else that waits has nowhere to go."""
    by_lead: dict[int, list[Outbox]] = defaultdict(list)
    for entry in await _waiting(tx, channel, col(Outbox.lead_id).is_not(None)):
        by_lead[leads.known(entry.lead_id)].append(entry)
    for lead_id, waiting in by_lead.items():
        lead, thread = await leads.get(tx, lead_id), await threads.own(tx, lead_id)
        if lead is None or thread is None or thread.channel != channel:
            continue  # its card waits itself
        news = [one for one in waiting if one.kind in renewing.NEWS]
        goes = await renewing.renew(tx, lead, thread, now=now, default=default, lane=None) if news else None
        for one in waiting:
            if one in news:
                one.channel, one.due_at = goes, now
            else:
                one.state, one.settled_at, one.reason = WorkState.CANCELLED, now, "channel_deleted"
    await tx.flush()


async def _waiting(tx: Transaction, channel: str, *which: ColumnElement[bool]) -> Sequence[Outbox]:
    """Entries for a channel that nobody holds, held until this transaction ends."""
    query = (
        select(Outbox)
        .where(
            col(Outbox.settled_at).is_(None),
            col(Outbox.channel) == channel,
            col(Outbox.state) == WorkState.PENDING,
            col(Outbox.claimed_until).is_(None),
            *which,
        )
        .order_by(col(Outbox.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalars().all()
