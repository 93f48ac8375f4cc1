"""What a clock that ran ahead and was set back has dated into the future: it is due when it would have been without that."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlmodel import col

from storage import inbox, outbox
from storage.database import Transaction, touch
from storage.models import Inbox, Lane, Outbox

MARGIN = timedelta(seconds=30)
"""By so much the clocks of replicas may differ, and nothing is wrong."""


async def mend(tx: Transaction, *, now: datetime) -> int:
    """Set right what is dated later than now, of what waits; returns how many rows showed that the clock ran ahead.

    Written or tried later than now proves it, and says by how much. What is planned for a later time stays so.
    """
    late = now + MARGIN
    waits = await _of_the_outbox(tx, late=late, now=now)
    heard = (
        await tx.execute(select(Inbox).where(col(Inbox.settled_at).is_(None), col(Inbox.received_at) > late))
    ).scalars()
    for row in (read := list(heard)):
        row.due_at = min(row.due_at, now)
    if waits > timedelta():
        await tx.execute(update(Lane).where(col(Lane.next_at) > late).values(next_at=now))
        touch(tx, outbox.TOPIC)
    if read:
        touch(tx, inbox.TOPIC)
    return len(read) + (waits > timedelta())


async def _of_the_outbox(tx: Transaction, *, late: datetime, now: datetime) -> timedelta:
    """How far ahead the clock was at most, as the entries say that wait."""
    dated = or_(col(Outbox.created_at) > late, col(Outbox.sending_at) > late)
    query = select(Outbox).where(col(Outbox.settled_at).is_(None), dated).with_for_update(skip_locked=True)
    most = timedelta()
    for entry in (await tx.execute(query)).scalars():
        ahead = max(entry.created_at, entry.sending_at or entry.created_at) - now
        most = max(most, ahead)
        entry.due_at -= ahead
        entry.created_at = min(entry.created_at, now)
        entry.turn_at = min(entry.turn_at, now) if entry.turn_at else None
        entry.sending_at = min(entry.sending_at, now) if entry.sending_at else None
        if entry.claimed_until is not None:
            entry.claimed_until = min(entry.claimed_until, now + outbox.CLAIM_FOR)
    return most
