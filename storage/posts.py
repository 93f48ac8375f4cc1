"""Where our posts about leads and reviews stand in Slack, those too that nobody confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.models import Direction, Message, Outbox, Review, Thread, WorkState
from storage.outbox import Kind

Leads = Select[Any] | Sequence[int]
"""Our ids of leads, or the query that gives them."""


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """Where posts stand: a thread, or a single post. `ts` is None where a post may be out that was never confirmed.

    Then `delivery_id` is in it, and it went out after `since`.
    """

    channel: str
    ts: str | None = None
    delivery_id: str | None = None
    since: datetime | None = None


async def of_leads(tx: Transaction, leads: Leads) -> set[Place]:
    """The leads' threads, those whose card was deleted in Slack too, and posts that nobody confirmed."""
    message, thread = Message, Thread
    first_card = select(func.min(col(thread.ts))).where(col(thread.lead_id) == col(message.lead_id)).scalar_subquery()
    before_card = or_(first_card.is_(None), col(message.slack_ts) < first_card)
    standing = (
        select(col(thread.channel), col(thread.ts)).where(col(thread.lead_id).in_(leads)),
        select(col(message.channel), col(message.thread_ts)).where(
            col(message.lead_id).in_(leads), col(message.thread_ts).is_not(None)
        ),
        select(col(message.channel), col(message.slack_ts)).where(
            col(message.lead_id).in_(leads),
            col(message.direction) == word(Direction.INBOUND),
            col(message.slack_ts).is_not(None),
            before_card,
        ),
    )
    places = set()
    for query in standing:
        for channel, ts in (await tx.execute(query.distinct())).all():
            if channel is not None:
                places.add(Place(channel=channel, ts=ts))
    return places | await _unconfirmed(tx, col(Outbox.lead_id).in_(leads), kinds=(Kind.POST_LEAD,))


async def of_reviews(tx: Transaction, which: ColumnElement[bool]) -> set[Place]:
    """Posts of reviews that stand by themselves, with what follows them."""
    places = set()
    reviews = (await tx.execute(select(Review).where(which))).scalars().all()
    for review in reviews:
        for ts in (review.slack_ts, *(review.also_ts or ())):
            if review.channel is not None and ts is not None:
                places.add(Place(channel=review.channel, ts=ts))
    lanes = [review_lane(review.id) for review in reviews]
    return places | await _unconfirmed(tx, col(Outbox.lane).in_(lanes), kinds=(Kind.POST_REVIEW, Kind.POST_PHOTOS))


async def _unconfirmed(tx: Transaction, which: ColumnElement[bool], *, kinds: Sequence[Kind]) -> set[Place]:
    """Posts that may be out though their answer was lost; replies are found with their thread."""
    query = select(Outbox).where(
        which, col(Outbox.kind).in_(kinds), col(Outbox.sending_at).is_not(None), col(Outbox.state) != WorkState.DONE
    )
    return {
        Place(channel=entry.channel, delivery_id=entry.delivery_id, since=entry.sending_at)
        for entry in (await tx.execute(query)).scalars()
        if entry.channel is not None
    }


def review_lane(review_id: int | None) -> str:
    """The lane of what is said about a review that stands by itself."""
    return f"slack:review:{review_id}"
