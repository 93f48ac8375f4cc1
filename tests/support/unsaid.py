"""What the outbox holds that is still to be said, as whoever waits for all of it asks the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage import lanes, pacing
from storage.columns import UtcDateTime
from storage.models import Lane, Outbox, WorkState
from storage.outbox import Kind

NOW, MICROS = bindparam("now", type_=UtcDateTime()), bindparam("micros", type_=BigInteger())
_earlier = aliased(Outbox)
_is_full = and_(col(Lane.free_us) > MICROS, col(Lane.free_us) <= MICROS + pacing.TOO_FAR)
_bounds = func.coalesce(col(Outbox.pace), "channel:" + col(Outbox.channel))
_is_post = or_(col(Outbox.pace).startswith(pacing.PERSON), and_(col(Outbox.pace).is_(None), _bounds.is_not(None)))
_quiet = select(Lane.key).where(
    or_(col(Lane.key) == _bounds, and_(_is_post, col(Lane.key) == lanes.ALL_POSTS)),
    or_(col(Lane.next_at) > NOW, _is_full),
)
_held = select(Lane.key).where(
    col(Lane.key) == "channel:" + col(Outbox.channel), col(Lane.held), col(Lane.next_at) > NOW
)
_ahead = select(col(_earlier.id)).where(
    col(_earlier.settled_at).is_(None),
    col(_earlier.lane) == col(Outbox.lane),
    tuple_(col(_earlier.position), col(_earlier.id)) < tuple_(col(Outbox.position), col(Outbox.id)),
)

TO_BE_SAID = select(col(Outbox.id)).where(
    col(Outbox.settled_at).is_(None),
    col(Outbox.state) != WorkState.PARKED,
    or_(
        col(Outbox.claimed_until) > NOW,
        and_(col(Outbox.due_at) <= NOW, ~_ahead.exists(), ~_quiet.exists(), ~_held.exists()),
    ),
)
"""Entries that are under way, or due with nothing before them in their lane, in a channel that is not quiet (see `at`)."""

EARLY_CARD = (
    select(col(Outbox.due_at))
    .where(col(Outbox.kind) == Kind.POST_LEAD, col(Outbox.settled_at).is_(None))
    .where(col(Outbox.attempt) == 0, col(Outbox.reason).is_(None), col(Outbox.due_at) > NOW)
    .order_by(col(Outbox.due_at))
    .limit(1)
)
"""When a card is due that waits for its lead (see `webhooks.telling.LEAD_FOLLOWS`)."""


def at(now: datetime) -> dict[str, Any]:
    """The values for `TO_BE_SAID` at this time."""
    return {"now": now, "micros": pacing.micros(now)}
