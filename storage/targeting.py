"""Whether businesses, and categories of theirs, are to get new leads: what was wanted here, and what Thumbtack confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from storage import lanes
from storage.database import Transaction
from storage.models import Lead, Targeting
from storage.outbox import targeting_lane

WHOLE = ""
"""The `category_id` of the whole business."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """A category of a business, as its leads named it last."""

    category_id: str
    name: str


async def want(
    tx: Transaction,
    *,
    business_id: int,
    category: Category | None,
    enabled: bool,
    by: str,
    now: datetime,
    key: str | None = None,
) -> Targeting | None:
    """Note that somebody wants new leads on or off, instead of what was wanted before; the row, with its new version.

    `category` None: the whole business. `key` names the question that this answers: None where it was answered already.
    """
    await lanes.lock(tx, targeting_lane(business_id))  # of two who want something at once, one is the newer
    category_id = category.category_id if category else WHOLE
    row = await _held(tx, col(Targeting.business_id) == business_id, col(Targeting.category_id) == category_id)
    if row is None:
        row = Targeting(
            business_id=business_id,
            category_id=category_id,
            enabled=enabled,
            asked_by=by,
            asked_at=now,
            version=0,
        )
        tx.add(row)
    elif key is not None and row.asked_key == key:
        return None
    row.category = category.name if category else None
    row.enabled, row.until, row.time_zone = enabled, None, None
    row.asked_by, row.asked_at, row.asked_key = by, now, key
    row.version += 1
    await tx.flush()
    return row


def confirmed(
    row: Targeting, *, enabled: bool, until: datetime | None, by: str | None, version: int | None, now: datetime
) -> None:
    """Thumbtack said that it is so now. `by`: who wanted it, as `version`; None for Corkboard itself.

    What was planned for the state before (a resume, a reminder) means nothing any more, nor does an Undo of it.
    """
    if row.version == version if version is not None else not _is_under_way(row):
        row.enabled, row.until = enabled, until
    row.set_enabled, row.set_until, row.set_by, row.set_at = enabled, until, by, now
    row.set_version += 1
    row.failing_since = None


def cannot_resume(row: Targeting, *, now: datetime) -> None:
    """New leads should be on again, and Thumbtack does not do it."""
    if not _is_under_way(row):
        row.enabled, row.until = True, None
    row.failing_since = row.failing_since or now


def ends_at(row: Targeting) -> datetime | None:
    """Since when new leads should be on again, or when they will be; None for a pause without an end."""
    if row.set_until is None or row.failing_since is None:
        return row.set_until or row.failing_since
    return min(row.set_until, row.failing_since)


def _is_under_way(row: Targeting) -> bool:
    """Whether something else is wanted than what was confirmed."""
    return (row.enabled, row.until) != (row.set_enabled, row.set_until)


async def give_up(tx: Transaction, row: Targeting, version: int) -> None:
    """What was wanted is not done and not tried any more: what was confirmed last stands, and may be wanted anew."""
    if row.version != version:
        return
    if row.set_at is None:  # nothing was ever set here
        await tx.delete(row)
    else:
        row.enabled, row.until, row.asked_key = row.set_enabled is not False, row.set_until, None
    await tx.flush()


def state_of(row: Targeting) -> dict[str, Any]:
    """What was confirmed last, for the audit trail; empty where that is not known."""
    if row.set_at is None:
        return {}
    return {"enabled": row.set_enabled, "until": row.set_until.isoformat() if row.set_until else None}


def name_of(row: Targeting) -> str:
    """How the audit trail names what was confirmed last: our id, and which confirmation it is."""
    return f"targeting:{row.id}:{row.set_version}"


def named_by(name: str | None) -> tuple[int, int] | None:
    """The id and the confirmation in such a name; None for the name of something else."""
    kind, _, rest = (name or "").partition(":")
    targeting_id, _, set_version = rest.partition(":")
    if kind != "targeting" or not (targeting_id.isdecimal() and set_version.isdecimal()):
        return None
    return int(targeting_id), int(set_version)


def is_latest(row: Targeting, version: int) -> bool:
    """Whether nobody wanted anything else since."""
    return row.version == version


async def get(tx: Transaction, targeting_id: int) -> Targeting | None:
    """A row by our id."""
    return await tx.get(Targeting, targeting_id)


async def to_change(tx: Transaction, targeting_id: int) -> Targeting | None:
    """A row as it stands, held until this transaction ends; behind its lane, which everybody locks first."""
    business_id = await tx.scalar(select(col(Targeting.business_id)).where(col(Targeting.id) == targeting_id))
    if business_id is None:
        return None
    await lanes.lock(tx, targeting_lane(business_id))
    return await _held(tx, col(Targeting.id) == targeting_id)


async def of_business(tx: Transaction, business_id: int) -> Sequence[Targeting]:
    """What Thumbtack confirmed for a business, the whole business first, then its categories by name.

    Thumbtack cannot be asked: what nobody set here is not known, and has no row in this list.
    """
    query = select(Targeting).where(col(Targeting.business_id) == business_id, col(Targeting.set_at).is_not(None))
    rows = (await tx.execute(query)).scalars().all()
    return sorted(rows, key=lambda row: (row.category_id != WHOLE, row.category or "", row.category_id))


async def categories(tx: Transaction, business_id: int) -> Sequence[Category]:
    """The categories of a business's leads, by name; each as the newest lead calls it."""
    newest = (
        select(func.max(col(Lead.id)))
        .where(
            col(Lead.business_id) == business_id, col(Lead.category_id).is_not(None), col(Lead.category).is_not(None)
        )
        .group_by(col(Lead.category_id))
    )
    query = select(col(Lead.category_id), col(Lead.category)).where(col(Lead.id).in_(newest))
    found = [Category(category_id=known, name=name) for known, name in await tx.execute(query) if known and name]
    return sorted(found, key=lambda one: (one.name.casefold(), one.category_id))


async def _held(tx: Transaction, *where: ColumnElement[bool]) -> Targeting | None:
    query = select(Targeting).where(*where).with_for_update().execution_options(populate_existing=True)
    return (await tx.execute(query)).scalar_one_or_none()
