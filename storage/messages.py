"""Messages of leads: what the customer wrote, and what the team wrote and where that stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, and_, bindparam, delete, func, select
from sqlmodel import col

from storage import inserting, lanes
from storage.columns import word
from storage.database import Transaction
from storage.models import (
    Direction,
    Environment,
    Lead,
    Message,
    Outbox,
    ReplyState,
    WorkState,
)
from storage.outbox import Kind
from storage.prepared import Prepared

SAME_TEXT_WITHIN = timedelta(seconds=120)
ECHO_WITHIN = timedelta(hours=1)
"""How far apart our sending and Thumbtack's time of it may be: clocks, a hold window, a wait for an answer."""

BUSINESS = "business"
"""The author of what was typed in Thumbtack's own app, beside our Slack users."""


@dataclass(frozen=True)
class Known:
    """A message that Thumbtack has by an id, of either side."""

    id: int
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class Said:
    """A person's message in Slack, as Slack's event tells it."""

    team_id: str
    channel: str
    thread_ts: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    files: bool = False
    changed_ts: str | None = None  # of the edit that tells this text; None: as it was first written


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A person's message; `is_new` where Slack had not told us of it before."""

    message: Message
    is_new: bool


async def get(tx: Transaction, message_id: int | None) -> Message | None:
    """A message by our id, for reading."""
    return None if message_id is None else await tx.get(Message, message_id)


async def to_change(tx: Transaction, message_id: int | None) -> Message | None:
    """A message by our id, for changing: as it stands now, and changed by nobody else until this transaction ends.

    A reply's state is decided under this lock alone, by people and by the dispatcher; take it before any other.
    """
    return None if message_id is None else await tx.get(Message, message_id, **lanes.for_changing(tx))


def around(sent_at: datetime, within: timedelta) -> tuple[datetime, datetime]:
    """The times that are about the same; whatever time it was, also the first or last there is."""
    earliest, latest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return sent_at - min(within, sent_at - earliest), sent_at + min(within, latest - sent_at)


async def at(tx: Transaction, *, team_id: str, channel: str, ts: str) -> Message | None:
    """The person's message that stands at this place in Slack, for changing (see `to_change`)."""
    query = (
        select(Message)
        .where(
            col(Message.team_id) == team_id,
            col(Message.channel) == channel,
            col(Message.slack_ts) == ts,
            col(Message.direction) == word(Direction.OUTBOUND),
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def record_outbound(
    tx: Transaction, said: Said, *, lead_id: int | None, environment: Environment, now: datetime
) -> Recorded:
    """Keep what a person wrote in a lead's thread, for changing (see `to_change`)."""
    message = Message(
        lead_id=lead_id,
        environment=environment,
        direction=Direction.OUTBOUND,
        author=said.user,
        text=said.text,
        blocks=said.blocks,
        stored_at=now,
        team_id=said.team_id,
        channel=said.channel,
        thread_ts=said.thread_ts,
        slack_ts=said.ts,
        has_files=said.files,
        changed_ts=said.changed_ts,
    )
    is_new = await _insert(tx, message)
    stored = await at(tx, team_id=said.team_id, channel=said.channel, ts=said.ts)
    if stored is None:
        raise LookupError("a message of ours stands where a person's should")
    return Recorded(message=stored, is_new=is_new)


async def record_modal(
    tx: Transaction,
    *,
    lead_id: int,
    environment: Environment,
    team_id: str,
    view_id: str,
    author: str,
    text: str,
    now: datetime,
) -> Message | None:
    """Keep what a person wrote in the reply modal; None where this window was submitted before.

    It stands in Slack once the bot's line is posted.
    """
    message = Message(
        lead_id=lead_id,
        environment=environment,
        direction=Direction.OUTBOUND,
        author=author,
        text=text,
        stored_at=now,
        confirmed_at=now,
        team_id=team_id,
        view_id=view_id,
        state=ReplyState.HELD,
    )
    if not await _insert(tx, message):
        return None
    query = select(Message).where(col(Message.team_id) == team_id, col(Message.view_id) == view_id)
    return (await tx.execute(query)).scalar_one()


async def _insert(tx: Transaction, message: Message) -> bool:
    """Add a message; False where it is there already, also when another transaction adds it just now."""
    insert = inserting.by(tx)
    values = message.model_dump(exclude={"id"})
    added = insert(Message).values(**values).on_conflict_do_nothing().returning(col(Message.id))
    return (await tx.execute(added)).first() is not None


async def unattached(tx: Transaction, channel: str, thread_ts: str) -> Sequence[Message]:
    """What people wrote under a post before we knew that it was a lead's card, for changing (see `to_change`)."""
    if await _ANY_UNATTACHED.first(tx, in_channel=channel, thread=thread_ts) is None:
        return []
    query = (
        select(Message)
        .where(col(Message.lead_id).is_(None), col(Message.channel) == channel, col(Message.thread_ts) == thread_ts)
        .order_by(col(Message.slack_ts))
        .with_for_update(key_share=True)
    )
    return (await tx.execute(query)).scalars().all()


async def forget_unattached(tx: Transaction, channel: str) -> None:
    """Forget what was kept in case it belonged to a lead's thread, once that is out of the question."""
    await _FORGET_UNATTACHED.changed(tx, in_channel=channel)


async def forget_strays(tx: Transaction) -> int:
    """Likewise in every channel where no lead's card is on its way any more; returns how many."""
    under_way = select(col(Outbox.channel)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == word(Kind.POST_LEAD),
        col(Outbox.state) == word(WorkState.SENDING),
        col(Outbox.channel).is_not(None),
    )
    strays = delete(Message).where(col(Message.lead_id).is_(None), col(Message.channel).not_in(under_way))
    result: CursorResult[Any] = await tx.execute(strays.execution_options(synchronize_session=False))  # type: ignore[assignment]  # a DELETE gives a CursorResult
    return result.rowcount


async def waiting_of(tx: Transaction, business_id: int) -> Sequence[int]:
    """The replies of a business's leads that wait to be sent, in the order in which they were written."""
    query = (
        select(col(Message.id))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(col(Lead.business_id) == business_id, col(Message.state).in_([ReplyState.HELD, ReplyState.WAITING]))
        .order_by(col(Message.id))
    )
    return [found for found in (await tx.execute(query)).scalars() if found is not None]


async def by_thumbtack_id(tx: Transaction, environment: Environment, thumbtack_id: str) -> Known | None:
    """A message of either side by Thumbtack's id."""
    found = await _CALLED.first(tx, of=environment, called=thumbtack_id)
    return None if found is None else Known(found.id, Direction(found.direction))


async def handed_over(tx: Transaction, lead_id: int, *, near: datetime) -> Sequence[Message]:
    """Replies to a lead that were handed to Thumbtack about that time, whatever came of it, for changing."""
    query = (
        _handed_over(lead_id)
        .where(col(Message.sent_at).between(*around(near, ECHO_WITHIN)))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalars().all()


async def all_handed_over(tx: Transaction, lead_id: int) -> Sequence[Message]:
    """Every reply to a lead that was handed to Thumbtack, for reading."""
    return (await tx.execute(_handed_over(lead_id))).scalars().all()


def _handed_over(lead_id: int) -> Select[Message]:
    return (
        select(Message)
        .where(
            col(Message.lead_id) == lead_id,
            col(Message.direction) == word(Direction.OUTBOUND),
            col(Message.sent_at).is_not(None),
        )
        .order_by(col(Message.id))
    )


async def asked_at(tx: Transaction, lead_id: int) -> datetime | None:
    """When the customer wrote last; None where they never did."""
    query = select(func.max(func.coalesce(col(Message.sent_at), col(Message.stored_at)))).where(
        col(Message.lead_id) == lead_id, *_ASKED
    )
    found: datetime | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def was_asked_after(tx: Transaction, lead_id: int, after: datetime) -> bool:
    """Whether the customer wrote after that time."""
    found = await _ASKED_AFTER.scalar(tx, lead=lead_id, after=after)
    return found is not None


# What each message asks, built once: that takes longer than asking it.
_ASKED = (
    col(Message.direction) == word(Direction.INBOUND),
    col(Message.author).is_distinct_from(BUSINESS),
    ~col(Message.is_automatic),
)
_BY_CUSTOMER = select(col(Message.id)).where(col(Message.lead_id) == bindparam("lead"), *_ASKED).limit(1)
_LATELY = _BY_CUSTOMER.where(col(Message.sent_at) > bindparam("after")).order_by(col(Message.sent_at).desc())
_UNDATED = _BY_CUSTOMER.where(col(Message.sent_at).is_(None), col(Message.stored_at) > bindparam("after"))
_ASKED_AFTER = Prepared(select(func.coalesce(_LATELY.scalar_subquery(), _UNDATED.scalar_subquery())))
IS_CALLED = and_(col(Message.environment) == bindparam("of"), col(Message.thumbtack_id) == bindparam("called"))
_CALLED = Prepared(select(col(Message.id), col(Message.direction)).where(IS_CALLED))
_ANY_UNATTACHED = Prepared(
    select(col(Message.id))
    .where(
        col(Message.lead_id).is_(None),
        col(Message.channel) == bindparam("in_channel"),
        col(Message.thread_ts) == bindparam("thread"),
    )
    .limit(1)
)
_FORGET_UNATTACHED = Prepared(
    delete(Message).where(col(Message.lead_id).is_(None), col(Message.channel) == bindparam("in_channel"))
)
