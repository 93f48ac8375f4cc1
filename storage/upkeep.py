"""The outbox between deliveries: what is given back, forgotten, shown to operators, and tried again at their word."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, case, delete, select, update
from sqlmodel import col

from storage import homes
from storage.database import Transaction, touch
from storage.models import Outbox, WorkState
from storage.outbox import TOPIC

PRUNED_AT_ONCE = 1_000
"""How many old entries one transaction forgets, so that nobody waits long for it."""


async def release_claims(tx: Transaction) -> None:
    """Give back what a dead process held. Only where nobody else can hold anything: at the start, on SQLite."""
    await tx.execute(update(Outbox).where(col(Outbox.claimed_until).is_not(None)).values(claimed_until=None))


async def old(tx: Transaction, *, before: datetime, after: int) -> Sequence[int]:
    """Some of what was said (or taken back) before `before`, behind the entry with the id `after`.

    What died is kept, and who has a tab. To be read beside the writer: where there are very many, they are looked through
    for seconds.
    """
    query = (
        select(col(Outbox.id))
        .where(
            col(Outbox.id) > after,
            col(Outbox.state).in_([WorkState.DONE, WorkState.CANCELLED]),
            col(Outbox.settled_at) < before,
            col(Outbox.id).not_in(homes.newest()),
        )
        .order_by(col(Outbox.id))
        .limit(PRUNED_AT_ONCE)
    )
    return [found for found in (await tx.execute(query)).scalars() if found is not None]


async def prune(tx: Transaction, ids: Sequence[int], *, before: datetime) -> int:
    """Forget these, where they are still old; returns how many."""
    still = (col(Outbox.state).in_([WorkState.DONE, WorkState.CANCELLED]), col(Outbox.settled_at) < before)
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # a DELETE gives a CursorResult
        delete(Outbox).where(col(Outbox.id).in_(ids), *still).execution_options(synchronize_session=False)
    )
    return result.rowcount


async def listing(tx: Transaction, *, limit: int = 100) -> Sequence[Outbox]:
    """What waits and what died, oldest first."""
    query = select(Outbox).where(col(Outbox.settled_at).is_(None) | (col(Outbox.state) == WorkState.DEAD))
    return (await tx.execute(query.order_by(col(Outbox.id)).limit(limit))).scalars().all()


async def retry(tx: Transaction, entry_id: int, *, now: datetime) -> bool:
    """Let a dead or waiting entry go again now; False where there is no such entry.

    A dead one whose call may have been made is looked for first.
    """
    may_be_out = and_(col(Outbox.state) == WorkState.DEAD, col(Outbox.sending_at).is_not(None))
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Outbox)
        .where(col(Outbox.id) == entry_id, col(Outbox.state).in_([WorkState.DEAD, WorkState.PENDING]))
        .values(
            state=case((may_be_out, WorkState.SENDING.value), else_=WorkState.PENDING.value),
            due_at=now,
            attempt=0,
            mistakes=0,
            settled_at=None,
            reason=None,
        )
        .execution_options(synchronize_session=False)
    )
    touch(tx, TOPIC)
    return result.rowcount > 0
