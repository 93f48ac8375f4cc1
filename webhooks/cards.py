"""Cards whose business was connected or disconnected: what they say about replies is to be true again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage import cards, leads
from storage.database import Transaction

RECENT = timedelta(days=14)
"""Older cards keep what they said: nobody answers there any more, and each change costs a second of the channel."""

AT_MOST = 40


async def refresh(tx: Transaction, business_ids: Sequence[int], *, now: datetime) -> None:
    """Let the cards of these businesses' recent leads be changed in place, the newest ones at most `AT_MOST`."""
    for lead_id in await leads.posted_since(tx, business_ids, since=now - RECENT, limit=AT_MOST):
        await cards.update(tx, lead_id, now=now)
