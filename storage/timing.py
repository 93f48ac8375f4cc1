"""When the dispatcher looks at the outbox again, if nothing is committed meanwhile: something is due, a pace or a claim ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, or_, select
from sqlmodel import col

from storage import lanes, pacing
from storage.columns import word
from storage.database import Transaction
from storage.models import Outbox, WorkState
from storage.prepared import Prepared


async def after_this(tx: Transaction, *, now: datetime) -> datetime | None:
    """When to look again after an entry was claimed: `now` where something is due that nobody has claimed.

    That may be held by its lane or its channel's pace, which `next_due` knows. None: nothing waits for a time.
    """
    more, *times = await _AFTER.first(tx, now=now)
    return now if more else min((at for at in times if at is not None), default=None)


async def next_due(tx: Transaction, *, now: datetime) -> datetime | None:
    """When to look again at the latest: an entry is due, a channel's pace or a claim ends. None: nothing waits so."""
    *times, free = await _TIMES.first(tx, now=now, now_us=pacing.micros(now))
    if free is not None:
        times.append(pacing.instant(free, now))
    return min((at for at in times if at is not None), default=None)


def _times() -> Select[Any]:
    paces = lanes.first_pace().subquery()
    return select(*_later(), paces.c.quiet, paces.c.free)


def _after() -> Select[Any]:
    due, claimed = col(Outbox.due_at), col(Outbox.claimed_until)
    more = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        due <= lanes.NOW,
        col(Outbox.state) != word(WorkState.PARKED),
        or_(claimed.is_(None), claimed <= lanes.NOW),
    )
    return select(more.exists(), *_later())


def _later() -> Sequence[ScalarSelect[Any]]:
    """When the first entry is due, and when the first claim ends."""
    waits, due, claimed = col(Outbox.settled_at).is_(None), col(Outbox.due_at), col(Outbox.claimed_until)
    first_due = select(func.min(due)).where(waits, due > lanes.NOW, col(Outbox.state) != word(WorkState.PARKED))
    first_claim = select(func.min(claimed)).where(claimed.is_not(None), claimed > lanes.NOW, waits)
    return first_due.scalar_subquery(), first_claim.scalar_subquery()


# Built once: that takes ten times as long as running them.
_TIMES, _AFTER = Prepared(_times()), Prepared(_after())
