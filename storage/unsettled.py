"""What the outbox still holds about a lead or a message: questions that change nothing."""

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.entries import Entry
from storage.models import Outbox, WorkState
from storage.outbox import Kind
from storage.prepared import Prepared


async def reply(tx: Transaction, message_id: int) -> Outbox | None:
    """The entry that shall send this message, while it has not gone out."""
    query = select(Outbox).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == word(Kind.SEND_REPLY),
        col(Outbox.message_id) == message_id,
    )
    return (await tx.execute(query)).scalars().first()


async def is_said_anew(tx: Transaction, entry: Entry) -> bool:
    """Whether a later entry of the same kind is about the same message."""
    query = select(col(Outbox.id)).where(
        col(Outbox.message_id) == entry.message_id, col(Outbox.kind) == entry.kind, col(Outbox.id) > entry.id
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def lead_post_under_way(tx: Transaction, channel: str, *, besides: int = 0) -> bool:
    """Whether a lead's first post to this channel may be out while we do not know its ts yet."""
    return await _POST_UNDER_WAY.first(tx, in_channel=channel, besides=besides) is not None


async def card_on_its_way(tx: Transaction, lead_id: int) -> str | None:
    """The channel of a lead's first post that may be out already, with what was known when it went."""
    query = select(col(Outbox.channel)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == word(Kind.POST_LEAD),
        col(Outbox.lead_id) == lead_id,
        col(Outbox.state) == word(WorkState.SENDING),
    )
    found: str | None = (await tx.execute(query.limit(1))).scalar_one_or_none()
    return found


async def cards_wait(tx: Transaction, *, reason: str) -> bool:
    """Whether a lead's card was tried, and waits for this reason."""
    query = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None), col(Outbox.kind) == word(Kind.POST_LEAD), col(Outbox.reason) == reason
    )
    return (await tx.execute(query.limit(1))).first() is not None


# Asked for each card; building it takes longer than asking it.
_POST_UNDER_WAY = Prepared(
    select(col(Outbox.id))
    .where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == word(Kind.POST_LEAD),
        col(Outbox.channel) == bindparam("in_channel"),
        col(Outbox.state) == word(WorkState.SENDING),
        col(Outbox.lead_id) != bindparam("besides"),
    )
    .limit(1)
)
