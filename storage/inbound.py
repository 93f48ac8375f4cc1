"""What Thumbtack tells of a lead's conversation that was not sent from here: each message is kept once, whoever tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlmodel import col

from storage import messages
from storage.adding import adding
from storage.columns import word
from storage.database import Transaction
from storage.merging import fill
from storage.messages import IS_CALLED, SAME_TEXT_WITHIN, around
from storage.models import Direction, Environment, Message
from storage.prepared import Prepared

CONTENT = ("text", "attachments")
"""What of a customer's message is shown."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message that Thumbtack tells of, as its row is to be."""

    lead_id: int
    environment: Environment
    generation: str
    thumbtack_id: str
    author: str
    text: str | None
    attachments: list[dict[str, Any]]
    sent_at: datetime | None
    stored_at: datetime
    extra: dict[str, Any]


@dataclass(frozen=True)
class Inbound:
    """A message that Thumbtack told of and that was not sent from here: the columns of these names."""

    id: int
    lead_id: int | None
    generation: str | None
    author: str | None
    text: str | None
    attachments: list[dict[str, Any]]
    sent_at: datetime | None
    stored_at: datetime
    is_automatic: bool


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A message from Thumbtack; `filled`: what of its content we had not before."""

    message: Inbound
    is_new: bool
    filled: frozenset[str]


async def record(tx: Transaction, told: Told) -> Heard:
    """Keep a message of the customer (or typed in Thumbtack's app), or take from it what the one we have lacks.

    The same is what has the same messageID, or what another API generation tells with the same text within 120 s.
    """
    held = await messages.get(tx, await _same(tx, told))
    if held is None:
        return Heard(message=await _add(tx, told), is_new=True, filled=frozenset(CONTENT))
    filled = fill(held, {name: getattr(told, name) for name in (*CONTENT, "extra")})
    await tx.flush()
    return Heard(message=Inbound(*(getattr(held, name) for name in _SHOWN)), is_new=False, filled=filled)


async def _same(tx: Transaction, told: Told) -> int | None:
    if told.text is None or told.sent_at is None:
        known = await messages.by_thumbtack_id(tx, told.environment, told.thumbtack_id)
        return None if known is None else known.id
    called = {"of": told.environment, "called": told.thumbtack_id}
    earliest, latest = around(told.sent_at, SAME_TEXT_WITHIN)
    said = {"lead": told.lead_id, "said": told.text, "by": told.generation, "earliest": earliest, "latest": latest}
    same: int | None = await _SAME.scalar(tx, **called, **said)
    return same


async def _add(tx: Transaction, told: Told) -> Inbound:
    values = {name: getattr(told, name) for name in _TOLD}
    made: int = await _ADD.scalar(tx, direction=Direction.INBOUND, **values)
    return Inbound(
        id=made,
        lead_id=told.lead_id,
        generation=told.generation,
        author=told.author,
        text=told.text,
        attachments=told.attachments,
        sent_at=told.sent_at,
        stored_at=told.stored_at,
        is_automatic=False,
    )


async def judged(tx: Transaction, message: Inbound, *, is_automatic: bool) -> Inbound:
    """Remember whether Thumbtack made a message; the message as it is known then."""
    if message.is_automatic is is_automatic:
        return message
    await _JUDGED.changed(tx, of_id=message.id, automatic=is_automatic)
    return replace(message, is_automatic=is_automatic)


async def of_lead(tx: Transaction, lead_id: int) -> Sequence[Inbound]:
    """What Thumbtack told about a lead that was not sent from here, in the order in which it was written."""
    found = [Inbound(*row) for row in await _INBOUND.all(tx, lead=lead_id)]
    return sorted(found, key=lambda one: (one.sent_at or one.stored_at, one.id))


# What each message asks, built once: that takes longer than asking it.
_IS_CALLED = select(col(Message.id)).where(IS_CALLED).scalar_subquery()
_SAYS = (
    select(func.min(col(Message.id)))
    .where(
        col(Message.lead_id) == bindparam("lead"),
        col(Message.sent_at).between(bindparam("earliest"), bindparam("latest")),
        col(Message.direction) == word(Direction.INBOUND),
        col(Message.text) == bindparam("said"),
        col(Message.generation) != bindparam("by"),
    )
    .scalar_subquery()
)
_SAME = Prepared(select(func.coalesce(_IS_CALLED, _SAYS)))  # each by an index, and the second only where it must
_TOLD, _SHOWN = ([one.name for one in fields(of)] for of in (Told, Inbound))
_ADD = adding(Message, "direction", *_TOLD)
_JUDGED = Prepared(
    update(Message).where(col(Message.id) == bindparam("of_id")).values(is_automatic=bindparam("automatic"))
)
_INBOUND = Prepared(
    select(*(col(getattr(Message, name)) for name in _SHOWN)).where(
        col(Message.lead_id) == bindparam("lead"), col(Message.direction) == word(Direction.INBOUND)
    )
)
