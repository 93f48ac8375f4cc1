"""Reviews, one row per reviewID; a later modification updates it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from storage.database import Transaction
from storage.merging import NOTHING, fill
from storage.models import Environment, Review

SHOWN = ("rating", "text", "reviewer_name", "verified", "photos", "created_at", "modified_at")
"""What a post of a review shows, and a later modification may change."""

NAMES = ("lead_id", "business_id", "category_id", "extra")
"""What a review belongs to, and what else was told: filled where it was missing."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a review's body changed of what its post shows."""

    review: Review
    is_new: bool
    changed: frozenset[str]


async def get(tx: Transaction, review_id: int) -> Review | None:
    """A review by our id."""
    return await tx.get(Review, review_id)


async def find(tx: Transaction, environment: Environment, thumbtack_id: str) -> Review | None:
    """A review by Thumbtack's id."""
    query = select(Review).where(col(Review.environment) == environment, col(Review.thumbtack_id) == thumbtack_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def of_lead(tx: Transaction, lead_id: int) -> Sequence[Review]:
    """The reviews of a lead, the newest first."""
    query = select(Review).where(col(Review.lead_id) == lead_id).order_by(col(Review.id).desc())
    return (await tx.execute(query)).scalars().all()


async def stands(tx: Transaction, review_id: int, *, channel: str, ts: str) -> None:
    """A review has a post of its own there; what is posted later belongs to it too (see `Review.also_ts`)."""
    review = await get(tx, review_id)
    if review is None:
        return
    if review.slack_ts is None:
        review.channel, review.slack_ts = channel, ts
    elif ts not in (review.slack_ts, *(review.also_ts or ())):
        review.also_ts = [*(review.also_ts or ()), ts]


async def merge(tx: Transaction, told: Review) -> Merged:
    """Take in a review: a new one, or one we have. Never empties anything.

    A later modifyTime replaces, the same one (or none on either side) fills what was missing, an earlier one is stale.
    """
    held = await find(tx, told.environment, told.thumbtack_id)
    if held is None:
        tx.add(told)
        await tx.flush()
        return Merged(review=told, is_new=True, changed=frozenset(SHOWN))
    fill(held, {name: getattr(told, name) for name in NAMES})
    changed = _replace(held, told) if _is_later(held, told) else _fill(held, told)
    await tx.flush()
    return Merged(review=held, is_new=False, changed=changed)


def _is_later(held: Review, told: Review) -> bool:
    return told.modified_at is not None and (held.modified_at is None or told.modified_at > held.modified_at)


def _replace(held: Review, told: Review) -> frozenset[str]:
    changed = set()
    for name in SHOWN:
        new = getattr(told, name)
        if new not in NOTHING and new != getattr(held, name):
            setattr(held, name, new)
            changed.add(name)
    return frozenset(changed)


def _fill(held: Review, told: Review) -> frozenset[str]:
    if told.modified_at != held.modified_at:
        return frozenset()
    return fill(held, {name: getattr(told, name) for name in SHOWN})
