"""A lead whose card is old, or stood in a channel that was deleted, gets a new card once there is news of it.

Slack's free plan hides what is older than 90 days, and a thread that nobody sees is no place for news.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage import channels, lanes, leads, outbox, routing, threads
from storage.columns import word
from storage.database import Transaction
from storage.models import Channel, Lead, Outbox, Thread
from storage.outbox import Kind, slack_lane
from storage.prepared import Prepared, there
from storage.threads import LeadThread

OLD_AFTER = timedelta(days=80)
"""How old a card may be that news are written under; it stays readable for a while after that."""

DELETED = "deleted"
"""Why a channel is closed that will never come back: its threads are gone."""

NEWS = frozenset(
    {Kind.POST_MESSAGE, Kind.POST_PHOTOS, Kind.POST_CHARGE, Kind.POST_STATUS, Kind.POST_REVIEW, Kind.POST_EVENT}
)
"""What is worth a new card."""


async def is_gone(tx: Transaction, thread: LeadThread) -> bool:
    """Whether the channel in which a thread stood was deleted."""
    return await was_deleted(tx, thread.channel)


async def was_deleted(tx: Transaction, channel: str) -> bool:
    """Whether a channel is no more, with all that stood there."""
    return await channels.closed_as(tx, channel) == DELETED


async def place_of_news(tx: Transaction, lead_id: int, *, now: datetime, default: str | None) -> str | None:
    """Where news of a lead are posted, for which a new card comes first where the old one will not do."""
    stands = there(await _STANDING.first(tx, lead=lead_id))
    decided: str | None = stands.decided
    if stands.thread_id is None:
        return decided
    if now - stands.attached_at < OLD_AFTER and stands.closed != DELETED:
        return str(stands.channel)
    thread = await tx.get(Thread, stands.thread_id)
    if thread is None:  # forgotten just now, by another replica
        return decided
    lead = there(await leads.get(tx, lead_id))
    return await renew(tx, lead, thread, now=now, default=default, lane=slack_lane(lead_id))


async def renew(
    tx: Transaction, lead: Lead, thread: Thread | LeadThread, *, now: datetime, default: str | None, lane: str | None
) -> str:
    """Enqueue a new card in place of `thread` and what was said last below it, unless one is on its way; where it goes.

    Where the old channel is closed to us, that is decided anew. `lane` None: ahead of what waits in the lead's lane.
    """
    to_come = await _decided(tx, leads.known(lead.id))
    if to_come is not None:
        return to_come.channel or thread.channel
    newest = await threads.own(tx, lead.id)
    if newest is not None and newest.id != thread.id:  # it was posted since we looked, by another replica
        return newest.channel
    known = await channels.find(tx, thread.channel)
    channel = thread.channel
    if known is not None and known.closed is not None:
        place = await routing.place_of(tx, lead, default=default)
        channel = place.channel or channel
    lead.channel = channel
    await _enqueue(tx, leads.known(lead.id), channel, now=now, lane=lane, payload={"renews": thread.id})
    return channel


async def deleted(tx: Transaction, thread: LeadThread, *, now: datetime) -> None:
    """The card was deleted in Slack: enqueue a new one, and what was said last below it, unless one is on its way."""
    if await threads.forget(tx, thread) and await _decided(tx, thread.lead_id) is None:
        await _enqueue(tx, thread.lead_id, thread.channel, now=now, lane=None, payload={})


async def _decided(tx: Transaction, lead_id: int) -> Outbox | None:
    """The card that is on its way; nobody else enqueues one in this lead's place until this transaction ends."""
    await lanes.lock(tx, f"card:{lead_id}")
    return await card_to_come(tx, lead_id)


async def _enqueue(
    tx: Transaction, lead_id: int, channel: str, *, now: datetime, lane: str | None, payload: dict[str, Any]
) -> None:
    for kind in (Kind.POST_LEAD, Kind.POST_RECENT):
        await outbox.enqueue(
            tx, kind, now=now, lane=lane, channel=channel, priority=outbox.FIRST, lead_id=lead_id, payload=payload
        )


async def card_to_come(tx: Transaction, lead_id: int) -> Outbox | None:
    """The entry that will post a lead's card, where there is one."""
    query = select(Outbox).where(
        col(Outbox.settled_at).is_(None), col(Outbox.kind) == word(Kind.POST_LEAD), col(Outbox.lead_id) == lead_id
    )
    return (await tx.execute(query.limit(1))).scalar_one_or_none()


# A lead's own thread, and whether its channel is closed: asked for each message; building it takes longer.
_STANDING = Prepared(
    select(
        col(Lead.channel).label("decided"),
        col(Thread.id).label("thread_id"),
        col(Thread.channel),
        col(Thread.attached_at),
        col(Channel.closed),
    )
    .outerjoin(Thread, col(Thread.lead_id) == col(Lead.id))
    .outerjoin(Channel, col(Channel.channel) == col(Thread.channel))
    .where(col(Lead.id) == bindparam("lead"))
    .order_by(col(Thread.id).desc(), col(Channel.id))
    .limit(1)
)
