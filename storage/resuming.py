"""What waited for a business to be connected again goes on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from storage.database import Transaction, touch
from storage.models import Lead, Outbox, WorkState
from storage.outbox import TOPIC

RECONNECT = "reconnect"
"""The reason of entries that wait until their business is connected again."""


async def release(tx: Transaction, business_ids: Sequence[int], *, now: datetime) -> None:
    """Let everything that waits for these businesses to be connected again go at once, each in its lane's order."""
    leads = select(col(Lead.id)).where(col(Lead.business_id).in_(business_ids))
    waiting = (
        select(col(Outbox.id))
        .where(
            col(Outbox.settled_at).is_(None),
            col(Outbox.state) == WorkState.PENDING,
            col(Outbox.reason) == RECONNECT,
            col(Outbox.lead_id).is_(None) | col(Outbox.lead_id).in_(leads),
        )
        .with_for_update(skip_locked=True)
    )
    await tx.execute(
        update(Outbox)
        .where(col(Outbox.id).in_(waiting))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    touch(tx, TOPIC)
