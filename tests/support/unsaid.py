"""What the outbox holds that is still to be said, as whoever waits for all of it asks the database."""

from sqlalchemy import and_, bindparam, or_, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.columns import UtcDateTime
from storage.models import Lane, Outbox, WorkState
from storage.outbox import Kind

NOW = bindparam("now", type_=UtcDateTime())
_earlier = aliased(Outbox)
_quiet = select(Lane.key).where(col(Lane.key) == "channel:" + col(Outbox.channel), col(Lane.next_at) > NOW)
_ahead = select(col(_earlier.id)).where(
    col(_earlier.settled_at).is_(None),
    col(_earlier.lane) == col(Outbox.lane),
    tuple_(col(_earlier.position), col(_earlier.id)) < tuple_(col(Outbox.position), col(Outbox.id)),
)

TO_BE_SAID = select(col(Outbox.id)).where(
    col(Outbox.settled_at).is_(None),
    col(Outbox.state) != WorkState.PARKED,
    or_(col(Outbox.claimed_until) > NOW, and_(col(Outbox.due_at) <= NOW, ~_ahead.exists(), ~_quiet.exists())),
)
"""Entries that are under way at the time `now`, or due with nothing before them in their lane, in a channel that is not quiet."""

EARLY_CARD = (
    select(col(Outbox.due_at))
    .where(col(Outbox.kind) == Kind.POST_LEAD, col(Outbox.settled_at).is_(None))
    .where(col(Outbox.attempt) == 0, col(Outbox.reason).is_(None), col(Outbox.due_at) > NOW)
    .order_by(col(Outbox.due_at))
    .limit(1)
)
"""When a card is due that waits for its lead (see `webhooks.telling.LEAD_FOLLOWS`)."""
