"""Cards whose business was connected or disconnected: what they say about replies is to be true again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage import leads, outbox, threads
from storage.database import Transaction
from storage.outbox import Kind, slack_lane

RECENT = timedelta(days=14)
"""Older cards keep what they said: nobody answers there any more, and each change costs a second of the channel."""

AT_MOST = 40


async def refresh(tx: Transaction, business_ids: Sequence[int], *, now: datetime) -> None:
    """Let the cards of these businesses' recent leads be changed in place, the newest ones at most `AT_MOST`."""
    for lead_id in await leads.posted_since(tx, business_ids, since=now - RECENT, limit=AT_MOST):
        thread = await threads.of_lead(tx, lead_id)
        lane = slack_lane(lead_id)
        if thread is None or await outbox.pending_of(tx, lane, Kind.UPDATE_CARD) is not None:
            continue
        await outbox.enqueue(tx, Kind.UPDATE_CARD, now=now, lane=lane, channel=thread.channel, lead_id=lead_id)
