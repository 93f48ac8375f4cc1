"""What was said between a customer and the team; neither notes nor what Thumbtack wrote by itself."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.models import Direction, Message, Outbox, ReplyState
from storage.outbox import Kind


async def last_said(tx: Transaction, lead_id: int, *, limit: int) -> Sequence[Message]:
    """The last messages that reached the other side, oldest first; not what waits to be posted in the thread.

    What Thumbtack wrote by itself is left out, as it is in the thread.
    """
    waits = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == word(Kind.POST_MESSAGE),
        col(Outbox.message_id) == Message.id,
    )
    heard = and_(
        col(Message.direction) == word(Direction.INBOUND), col(Message.is_automatic).is_(False), ~waits.exists()
    )
    sent = and_(col(Message.direction) == word(Direction.OUTBOUND), col(Message.state) == ReplyState.DELIVERED)
    query = (
        select(Message)
        .where(col(Message.lead_id) == lead_id, or_(heard, sent))
        .order_by(func.coalesce(col(Message.sent_at), col(Message.stored_at)).desc(), col(Message.id).desc())
        .limit(limit)
    )
    return (await tx.execute(query)).scalars().all()[::-1]


async def said(tx: Transaction, lead_id: int, *, limit: int) -> Sequence[Message]:
    """The last messages of both sides, the newest first; those of the team too that did not arrive, or not yet."""
    inside = (ReplyState.KEPT, ReplyState.CANCELLED)
    heard = and_(col(Message.direction) == word(Direction.INBOUND), col(Message.is_automatic).is_(False))
    written = and_(col(Message.direction) == word(Direction.OUTBOUND), col(Message.state).not_in(inside))
    query = (
        select(Message)
        .where(col(Message.lead_id) == lead_id, or_(heard, written))
        .order_by(func.coalesce(col(Message.sent_at), col(Message.stored_at)).desc(), col(Message.id).desc())
        .limit(limit)
    )
    return (await tx.execute(query)).scalars().all()
