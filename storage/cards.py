"""Lets a lead's card be brought up to date."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from storage import outbox, threads, unsettled
from storage.database import Transaction
from storage.models import Lead, Thread
from storage.outbox import Kind, slack_lane

MOST = 200
"""Cards that are brought up to date at once, the newest: Slack takes about one a second in a channel."""

_LAST = 2
"""The priority of what waits for all else that is to be said."""


async def update(tx: Transaction, lead_id: int, *, now: datetime) -> None:
    """Let the card show the present state; one update that still waits says everything, and a card to come does too."""
    thread = await threads.of_lead(tx, lead_id)
    lane = slack_lane(lead_id)
    channel = thread.channel if thread else await unsettled.card_on_its_way(tx, lead_id)
    if channel is not None and await outbox.pending_of(tx, lane, Kind.UPDATE_CARD) is None:
        await outbox.enqueue(tx, Kind.UPDATE_CARD, now=now, lane=lane, channel=channel, lead_id=lead_id)


async def update_in(tx: Transaction, *, team_id: str, channel: str, now: datetime) -> int:
    """Let the cards of the open leads in a channel show the present state, after all else; returns how many will.

    They stand in no lane: what a customer writes meanwhile does not wait for them.
    """
    newest = (
        select(col(Lead.id))
        .join(Thread, col(Thread.lead_id) == col(Lead.id))
        .where(col(Thread.team_id) == team_id, col(Thread.channel) == channel, col(Lead.outcome).is_(None))
        .order_by(col(Thread.id).desc())
        .limit(MOST)
    )
    found = dict.fromkeys((await tx.execute(newest)).scalars())  # a lead whose card was renewed has two threads
    for lead_id in found:
        await outbox.enqueue(tx, Kind.UPDATE_CARD, now=now, channel=channel, lead_id=lead_id, priority=_LAST)
    return len(found)


async def update_of(tx: Transaction, *, business_id: int, now: datetime) -> int:
    """Likewise those of a business, wherever they stand, also of leads that are over: the card says as much of them."""
    newest = (
        select(col(Lead.id), col(Thread.channel))
        .join(Thread, col(Thread.lead_id) == col(Lead.id))
        .where(col(Lead.business_id) == business_id)
        .order_by(col(Thread.id).desc())
        .limit(MOST)
    )
    found: dict[int | None, str] = {}
    for lead_id, channel in (await tx.execute(newest)).all():
        found.setdefault(lead_id, channel)
    for lead_id, channel in found.items():
        await outbox.enqueue(tx, Kind.UPDATE_CARD, now=now, channel=channel, lead_id=lead_id, priority=_LAST)
    return len(found)
