"""The phone numbers that may call customers through Thumbtack Numbers, as Thumbtack listed them last."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage import lanes
from storage.database import Transaction
from storage.models import Phone


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A number as Thumbtack's list has it."""

    thumbtack_id: str
    number: str = field(repr=False)
    name: str | None = field(repr=False)
    last_activity_at: datetime | None
    is_deleted: bool


async def store(tx: Transaction, business_id: int, listed: Sequence[Listed], *, asked_at: datetime) -> None:
    """Take over Thumbtack's list, asked for at `asked_at`; one that was asked for later is not undone.

    What the list lacks counts as deleted, so that a button about it can still say so.
    """
    await lanes.lock(tx, f"phone_list:{business_id}")  # of two lists that come at once, one is the newer
    latest = select(func.max(col(Phone.listed_at))).where(col(Phone.business_id) == business_id)
    newest = (await tx.execute(latest)).scalar_one_or_none()
    if newest is not None and newest > asked_at:
        return
    known = {one.thumbtack_id: one for one in await _all(tx, business_id)}
    for one in {one.thumbtack_id: one for one in listed}.values():
        row = known.pop(one.thumbtack_id, None)
        if row is None:
            row = Phone(business_id=business_id, thumbtack_id=one.thumbtack_id, number=one.number, listed_at=asked_at)
            tx.add(row)
        row.number, row.name, row.is_deleted = one.number, one.name, one.is_deleted
        row.last_activity_at, row.listed_at = one.last_activity_at, asked_at
    for gone in known.values():
        gone.is_deleted, gone.listed_at = True, asked_at
    await tx.flush()


async def registered(tx: Transaction, business_id: int) -> Sequence[Phone]:
    """The numbers of a business that were not deleted, by name."""
    return sorted(
        (one for one in await _all(tx, business_id) if not one.is_deleted),
        key=lambda one: ((one.name or "\U0010ffff").casefold(), one.number, one.id or 0),
    )


async def get(tx: Transaction, phone_id: int) -> Phone | None:
    """A number by our id, deleted or not."""
    return await tx.get(Phone, phone_id)


async def _all(tx: Transaction, business_id: int) -> Sequence[Phone]:
    query = select(Phone).where(col(Phone.business_id) == business_id).order_by(col(Phone.id))
    return (await tx.execute(query)).scalars().all()
