"""What the keepers are to be told and were not yet, so that nothing is told twice."""

from sqlalchemy import select
from sqlmodel import col

from storage.database import Transaction
from storage.models import Outbox
from storage.outbox import Kind


async def waits(tx: Transaction, notice: str) -> bool:
    """Whether a notice of this name waits to be told."""
    query = select(Outbox).where(col(Outbox.settled_at).is_(None), col(Outbox.kind) == Kind.POST_NOTICE)
    return any(entry.payload.get("notice") == notice for entry in (await tx.execute(query)).scalars())


async def was_offered(tx: Transaction, channel: str, *, event_ts: str) -> bool:
    """Whether this very invitation to a channel was answered already, or will be: Slack may tell of it again."""
    query = select(Outbox).where(col(Outbox.kind) == Kind.OFFER_CHANNEL, col(Outbox.channel) == channel)
    return any(entry.payload.get("event_ts") == event_ts for entry in (await tx.execute(query)).scalars())
