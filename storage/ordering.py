"""What of a lead's conversation still waits to be posted, in the order in which it was written."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.models import Message, Outbox, WorkState
from storage.outbox import Kind
from storage.prepared import Prepared

OF_A_MESSAGE = (Kind.POST_MESSAGE, Kind.POST_PHOTOS)
"""What is posted about a message, in this order."""


async def by_time(tx: Transaction, lane: str) -> None:
    """Let the messages that wait in a lane take each other's places there, the oldest first.

    Thumbtack delivers in no certain order. What is posted or being posted stays where it is, and so does all else.
    """
    waiting = [entry for entry in await _WAITING.all(tx, of=lane) if not entry.payload]
    if len(waiting) < 2:
        return
    places = [(Kind(entry.kind), int(entry.message_id)) for entry in waiting]
    written = await _written(tx, {message_id for _, message_id in places})
    in_order = sorted(places, key=lambda one: (written[one[1]], one[1], OF_A_MESSAGE.index(one[0])))
    for entry, before, (kind, message_id) in zip(waiting, places, in_order, strict=True):
        if before != (kind, message_id):
            await _SAY.changed(tx, of_id=entry.id, new_kind=kind, new_message=message_id)


async def _written(tx: Transaction, message_ids: set[int]) -> dict[int, datetime]:
    """When each of these messages was written, as far as it was told."""
    at = func.coalesce(col(Message.sent_at), col(Message.stored_at))
    found = await tx.execute(select(col(Message.id), at).where(col(Message.id).in_(message_ids)))
    return {message_id or 0: when for message_id, when in found.all()}


# Asked for each message; building it takes longer than asking it.
_SAY = Prepared(
    update(Outbox)
    .where(col(Outbox.id) == bindparam("of_id"))
    .values(kind=bindparam("new_kind"), message_id=bindparam("new_message"))
)
_WAITING = Prepared(
    select(col(Outbox.id), col(Outbox.kind), col(Outbox.message_id), col(Outbox.payload))
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
