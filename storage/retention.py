"""Forgets leads that are older than the settings keep them: rows, raw bodies and posts alike, some at a time."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage import erasing, forgetting
from storage.database import Database, Transaction
from storage.forgetting import Forgotten
from storage.models import Inbox, Lead, LeadAlias, LeadCharge, LeadEvent, Message, Outbox, Review
from storage.outbox import Kind

LEADS_AT_ONCE = 100
"""How many leads one transaction forgets, so that nobody waits long for it."""

ROUNDS = 50
"""How many transactions one run makes at most: what is left is for the next hour."""


async def forget_old(database: Database, *, before: datetime, now: datetime) -> dict[str, int]:
    """Forget leads of which nothing was heard or said since `before`, and what belongs to no lead; returns counts.

    Their posts are queued for deletion in the transaction that deletes the rows.
    """
    counts, last = Counter[str](), 0
    for _ in range(ROUNDS):
        async with database.transaction() as tx:
            found = await _old_leads(tx, before=before, after_id=last)
            forgotten = await forgetting.leads(tx, found, now=now) if found else None
            if forgotten is not None:
                counts.update(await _told(tx, forgotten, now=now))
        if not found:
            break
        last = found[-1]
    for _ in range(ROUNDS):
        async with database.transaction() as tx:
            gone = await _told(tx, await forgetting.strays(tx, before=before), now=now)
        counts.update(gone)
        if not any(gone.values()):
            break
    return dict(counts)


async def _told(tx: Transaction, forgotten: Forgotten, *, now: datetime) -> dict[str, int]:
    await erasing.delete_posts(tx, forgotten.places, now=now)
    return forgotten.counts


async def _old_leads(tx: Transaction, *, before: datetime, after_id: int) -> Sequence[int]:
    """Some leads of which nothing was heard since, and of which nothing is still to be posted."""
    heard = (
        select(col(LeadEvent.id)).where(col(LeadEvent.lead_id) == col(Lead.id), col(LeadEvent.at) >= before),
        select(col(LeadCharge.id)).where(col(LeadCharge.lead_id) == col(Lead.id), col(LeadCharge.at) >= before),
        select(col(Message.id)).where(col(Message.lead_id) == col(Lead.id), col(Message.stored_at) >= before),
        select(col(Review.id)).where(col(Review.lead_id) == col(Lead.id), col(Review.received_at) >= before),
        select(col(Inbox.id)).where(
            col(Inbox.environment) == col(Lead.environment),
            col(Inbox.lead_thumbtack_id) == col(Lead.thumbtack_id),
            col(Inbox.received_at) >= before,
        ),
        select(col(Inbox.id))
        .join(
            LeadAlias,
            (col(LeadAlias.environment) == col(Inbox.environment))
            & (col(LeadAlias.thumbtack_id) == col(Inbox.lead_thumbtack_id)),
        )
        .where(col(LeadAlias.lead_id) == col(Lead.id), col(Inbox.received_at) >= before),
        select(col(Outbox.id)).where(
            col(Outbox.lead_id) == col(Lead.id), col(Outbox.settled_at).is_(None), col(Outbox.kind) != Kind.SEND_REPLY
        ),
    )
    query = (
        select(col(Lead.id))
        .where(
            col(Lead.id) > after_id,
            col(Lead.joined_id).is_(None),  # it goes with the lead that it joined
            func.coalesce(col(Lead.received_at), before) <= before,
            *(~one.exists() for one in heard),
        )
        .order_by(col(Lead.id))
        .limit(LEADS_AT_ONCE)
    )
    return [found for found in (await tx.execute(query)).scalars() if found is not None]
