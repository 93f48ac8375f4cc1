"""How many processes hold a connection of Slack's Socket Mode: a lease each, so that replicas stay within Slack's ten."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlmodel import col

from storage import leases
from storage.database import Transaction
from storage.models import Lease

SLOTS = tuple(f"socket:{number}" for number in range(1, 9))
"""One for each process that is connected. Slack permits ten connections for an app
(docs.slack.dev/apis/events-api/using-socket-mode); two are left for those that are just being replaced."""


async def take(tx: Transaction, *, owner: str, now: datetime, lasts: timedelta) -> str | None:
    """A slot that is free is `owner`'s for `lasts`: its name, or None where all are taken."""
    held = select(col(Lease.name)).where(col(Lease.name).in_(SLOTS), col(Lease.until) >= now)
    taken = set((await tx.execute(held)).scalars())
    for slot in SLOTS:
        if slot not in taken and await keep(tx, slot, owner=owner, now=now, lasts=lasts):
            return slot
    return None


async def keep(tx: Transaction, slot: str, *, owner: str, now: datetime, lasts: timedelta) -> bool:
    """The slot is ours for `lasts` more; False where it ran out and is another's by now."""
    return await leases.acquire(tx, slot, owner=owner, now=now, lasts=lasts)


async def give_back(tx: Transaction, slot: str, *, owner: str) -> None:
    """The slot is free, where it was ours."""
    await tx.execute(delete(Lease).where(col(Lease.name) == slot, col(Lease.owner) == owner))


async def held(tx: Transaction, *, now: datetime) -> int:
    """How many processes are connected, or about to be."""
    query = select(func.count()).select_from(Lease).where(col(Lease.name).in_(SLOTS), col(Lease.until) >= now)
    count: int = (await tx.execute(query)).scalar_one()
    return count
