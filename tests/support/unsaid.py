"""What the outbox holds that is still to be said, as whoever waits for all of it asks the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage import lanes, pacing
from storage.models import Lane, Outbox, WorkState
from storage.outbox import Kind


def to_be_said(now: datetime) -> Select[Any]:
    """Entries that are under way, or due with nothing before them in their lane, in a channel that is not quiet."""
    earlier = aliased(Outbox)
    is_full = and_(col(Lane.free_us) > pacing.micros(now), col(Lane.free_us) <= pacing.micros(now) + pacing.TOO_FAR)
    bounds = func.coalesce(col(Outbox.pace), "channel:" + col(Outbox.channel))
    is_post = or_(col(Outbox.pace).startswith(pacing.PERSON), and_(col(Outbox.pace).is_(None), bounds.is_not(None)))
    quiet = select(Lane.key).where(
        or_(col(Lane.key) == bounds, and_(is_post, col(Lane.key) == lanes.ALL_POSTS)),
        or_(col(Lane.next_at) > now, is_full),
    )
    held = select(Lane.key).where(
        col(Lane.key) == "channel:" + col(Outbox.channel), col(Lane.held), col(Lane.next_at) > now
    )
    ahead = select(col(earlier.id)).where(
        col(earlier.settled_at).is_(None),
        col(earlier.lane) == col(Outbox.lane),
        tuple_(col(earlier.position), col(earlier.id)) < tuple_(col(Outbox.position), col(Outbox.id)),
    )
    return select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.state) != WorkState.PARKED,
        or_(
            col(Outbox.claimed_until) > now,
            and_(col(Outbox.due_at) <= now, ~ahead.exists(), ~quiet.exists(), ~held.exists()),
        ),
    )


def early_card(now: datetime) -> Select[Any]:
    """When a card is due that waits for its lead (see `webhooks.telling.LEAD_FOLLOWS`)."""
    return (
        select(col(Outbox.due_at))
        .where(col(Outbox.kind) == Kind.POST_LEAD, col(Outbox.settled_at).is_(None))
        .where(col(Outbox.attempt) == 0, col(Outbox.reason).is_(None), col(Outbox.due_at) > now)
        .order_by(col(Outbox.due_at))
        .limit(1)
    )
