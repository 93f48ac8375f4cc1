"""The Home tabs of people: each is made anew when they open it, and when something that it may show was forgotten."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlmodel import col

from storage import outbox
from storage.database import Transaction
from storage.models import Outbox
from storage.outbox import Kind, home_lane

SHOWN = text("kind = 'publish_home'")
"""Word for word as the index over them says it."""


async def show(tx: Transaction, *, user: str, pages: str, now: datetime) -> None:
    """Let a person's tab show these pages; of several that wait, what was turned to last counts."""
    lane, payload = home_lane(user), {"user": user, "pages": pages}
    waiting = await outbox.pending_of(tx, lane, Kind.PUBLISH_HOME)
    if waiting is not None:
        waiting.payload = payload
        return
    await outbox.enqueue(tx, Kind.PUBLISH_HOME, now=now, lane=lane, priority=outbox.FIRST, payload=payload)


async def renew(tx: Transaction, *, now: datetime) -> None:
    """Let every tab that was ever shown be made anew, from its beginning: Slack keeps what stands on it."""
    shown = select(col(Outbox.lane)).where(SHOWN).distinct()
    lanes = (await tx.execute(shown)).scalars().all()
    for lane in sorted(filter(None, lanes)):
        await show(tx, user=lane.removeprefix(home_lane("")), pages="", now=now)


def newest() -> Select[Any]:
    """The ids of each person's newest entry: it is kept however old it is, for it says whose tabs show something."""
    return select(func.max(col(Outbox.id))).where(SHOWN).group_by(col(Outbox.lane))
