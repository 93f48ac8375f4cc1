"""What of a lead's conversation still waits to be posted, in the order in which it was written."""

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.models import Message, Outbox, WorkState
from storage.outbox import Kind

OF_A_MESSAGE = (Kind.POST_MESSAGE, Kind.POST_PHOTOS)
"""What is posted about a message, in this order."""


async def by_time(tx: Transaction, lane: str) -> None:
    """Let the messages that wait in a lane take each other's places there, the oldest first.

    Thumbtack delivers in no certain order. What is posted or being posted stays where it is, and so does all else.
    """
    waiting = [entry for entry in (await tx.execute(_WAITING, {"of": lane})).scalars() if not entry.payload]
    if len(waiting) < 2:
        return
    said = {one.id: one for one in await _messages(tx, {entry.message_id for entry in waiting})}
    places = [(Kind(entry.kind), said[entry.message_id]) for entry in waiting]
    for entry, (kind, message) in zip(waiting, sorted(places, key=_written), strict=True):
        if (entry.kind, entry.message_id) != (kind, message.id):
            entry.kind, entry.message_id = kind, message.id
    await tx.flush()


async def _messages(tx: Transaction, message_ids: set[int | None]) -> list[Message]:
    if not message_ids:
        return []
    return list((await tx.execute(select(Message).where(col(Message.id).in_(message_ids)))).scalars())


def _written(place: tuple[Kind, Message]) -> tuple[float, int, int]:
    kind, message = place
    return (message.sent_at or message.stored_at).timestamp(), message.id or 0, OF_A_MESSAGE.index(kind)


# Asked for each message; building it takes longer than asking it.
_WAITING = (
    select(Outbox)
    .where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.lane) == bindparam("of"),
        col(Outbox.kind).in_([word(kind) for kind in OF_A_MESSAGE]),
        col(Outbox.message_id).is_not(None),
        col(Outbox.state) == word(WorkState.PENDING),
        col(Outbox.attempt) == 0,
    )
    .order_by(col(Outbox.id))
    .with_for_update(skip_locked=True)
)
