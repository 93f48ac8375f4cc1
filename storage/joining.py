"""One lead that Thumbtack's two APIs call by two ids: recognised by its request, and made one where it was two already.

The row of what turned out to be another lead stays, for whoever still holds its id: an entry of the outbox that is under
way, a button in Slack, the thread of a card that people wrote under. Locks are taken in the dispatcher's order: entries,
messages, leads, lanes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlmodel import col

from storage import lanes, leads, outbox, reminders, states, threads
from storage.columns import word
from storage.database import Transaction
from storage.merging import fill
from storage.messages import SAME_TEXT_WITHIN
from storage.models import (
    Direction,
    Environment,
    Lead,
    LeadAlias,
    LeadCharge,
    LeadEvent,
    Message,
    Outbox,
    Review,
    WorkState,
)
from storage.outbox import Kind, slack_lane, thumbtack_lane
from storage.prepared import Prepared

ITS_OWN = frozenset(
    {
        "id", "environment", "thumbtack_id", "generation", "received_at", "announced_at", "posted_at",
        "first_answer_at", "first_answer_by", "first_answer_via", "charge_text", "charge_cents", "charge_state",
        "polled_at", "poll_at", "joined_id", "waiting_since", "snoozed_until", "channel", "ring", "owner", "owned_at",
        "outcome", "outcome_at", "outcome_by", "won_cents",
    }
)  # fmt: skip
"""Columns that another lead is not filled with."""

TOLD_AGAIN = (Kind.POST_OUTCOME, Kind.POST_REPLY_LINE, Kind.POST_EVENT, Kind.POST_STATUS)
"""What waits to be said and says nothing of the card, and no customer's words: it is said of the other lead."""

IN_LANE = (*TOLD_AGAIN, Kind.POST_DETAILS, Kind.POST_PHOTOS, Kind.UPDATE_CARD, Kind.POST_ARRIVED, Kind.POST_CHARGE,
           Kind.POST_MESSAGE, Kind.POST_REVIEW)  # fmt: skip
"""What is taken back unless it is being said just now; a card that may be out is looked for first."""


async def recognise(
    tx: Transaction,
    *,
    environment: Environment,
    thumbtack_id: str,
    generation: str,
    business_id: int,
    request_id: str,
    now: datetime,
) -> frozenset[int]:
    """A lead's own body names its request: where the other API told of it by another id, both ids name one lead.

    Where there is a lead by each of them, one joins the other, the one that came first; returns the messages that moved.
    """
    await lanes.lock(tx, f"request:{business_id}:{request_id}")
    other = await leads.hold(tx, await _twin(tx, thumbtack_id, generation, business_id, request_id))
    if other is None:
        return frozenset()
    named = await leads.find_to_change(tx, environment, thumbtack_id)
    if named is None:
        tx.add(
            LeadAlias(
                lead_id=leads.known(other.id),
                environment=environment,
                thumbtack_id=thumbtack_id,
                generation=generation,
            )
        )
        await tx.flush()
        return frozenset()
    if named.id == other.id:
        return frozenset()
    comes_later = named.received_at is None or named.received_at >= (other.received_at or now)
    gone, stays = (named, other) if comes_later else (other, named)
    return await join(tx, gone, stays, now=now)


async def _twin(tx: Transaction, thumbtack_id: str, generation: str, business_id: int, request_id: str) -> Lead | None:
    """The lead of the same request to the same business that the other API told of, and this one did not."""
    request = {"business": business_id, "request": request_id}
    found: int | None = await _TWIN.scalar(tx, **request, called=thumbtack_id, told_by=generation)
    return None if found is None else await tx.get(Lead, found)


def _twins() -> Select[int | None]:
    has_other_id = select(col(LeadAlias.id)).where(
        col(LeadAlias.lead_id) == col(Lead.id),
        col(LeadAlias.generation) == bindparam("told_by"),
        col(LeadAlias.thumbtack_id) != bindparam("called"),
    )
    query = select(col(Lead.id)).where(
        col(Lead.business_id) == bindparam("business"),
        col(Lead.request_thumbtack_id) == bindparam("request"),
        col(Lead.thumbtack_id) != bindparam("called"),
        col(Lead.generation) != bindparam("told_by"),
        col(Lead.joined_id).is_(None),
        ~has_other_id.exists(),
    )
    return query.order_by(col(Lead.id)).limit(1)


_TWIN = Prepared(_twins())


async def join(tx: Transaction, gone: Lead, stays: Lead, *, now: datetime) -> frozenset[int]:
    """Everything about `gone` is about `stays` from now on, and is said in its thread; `gone` is kept as a signpost.

    Returns which messages moved.
    """
    entries = await _entries(tx, gone)
    written = await _messages(tx, gone)
    for lead in (gone, stays):  # what the team does with either just now is done before
        await leads.to_change(tx, lead.id)
    gone_id, stays_id = leads.known(gone.id), leads.known(stays.id)
    told = _Told(
        entries=entries,
        messages=[one for one in written if not await _is_known(tx, one, stays_id)],
        reviews=await _reviews(tx, gone_id),
    )
    changed = await _charges(tx, gone, stays)
    _fill(gone, stays)
    await _move_rows(tx, gone_id, stays_id)
    await _wait(tx, gone, stays, now=now)
    gone.joined_id, gone.posted_at, gone.poll_at = stays_id, None, None
    await tx.flush()
    leads.record(tx, stays, kind="joined", via="thumbtack", now=now)
    await _move_entries(tx, entries, gone_id, stays_id, now=now)
    await _tell(tx, told, stays, channel=await _channel(tx, stays, entries), changed=changed, now=now)
    if gone.announced_at is not None:
        channel = await _channel(tx, gone, entries)
        lane = slack_lane(gone_id)
        await outbox.enqueue(tx, Kind.POINT_TO_LEAD, now=now, lane=lane, channel=channel, lead_id=gone_id)
    return frozenset(leads.known(one.id) for one in written)


async def follow(tx: Transaction, gone_id: int, stays: Lead) -> None:
    """What was written under the card of a lead that joined another while it joined is about the other too."""
    await tx.execute(
        update(Message)
        .where(col(Message.lead_id) == gone_id)
        .values(lead_id=stays.id)
        .execution_options(synchronize_session=False)
    )


async def was_written_under(tx: Transaction, channel: str, ts: str) -> bool:
    """Whether a person wrote in the thread of this post, and did not take it back."""
    query = select(col(Message.id)).where(
        col(Message.channel) == channel,
        col(Message.thread_ts) == ts,
        col(Message.direction) == word(Direction.OUTBOUND),
        col(Message.deleted_at).is_(None),
    )
    return (await tx.execute(query.limit(1))).first() is not None


# What there is


async def _entries(tx: Transaction, gone: Lead) -> Sequence[Outbox]:
    query = (
        select(Outbox)
        .where(col(Outbox.settled_at).is_(None), col(Outbox.lead_id) == gone.id)
        .order_by(col(Outbox.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalars().all()


async def _messages(tx: Transaction, gone: Lead) -> Sequence[Message]:
    query = (
        select(Message)
        .where(col(Message.lead_id) == gone.id)
        .order_by(col(Message.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalars().all()


async def _is_known(tx: Transaction, message: Message, stays_id: int) -> bool:
    """Whether the other API told the same words of the lead that stays: they stand in its thread."""
    if message.direction != Direction.INBOUND or message.text is None or message.sent_at is None:
        return False
    query = select(col(Message.sent_at)).where(
        col(Message.lead_id) == stays_id,
        col(Message.direction) == word(Direction.INBOUND),
        col(Message.author) == message.author,
        col(Message.text) == message.text,
        col(Message.generation) != message.generation,
        col(Message.sent_at).is_not(None),
    )
    times = (await tx.execute(query)).scalars()
    return any(abs(at - message.sent_at) <= SAME_TEXT_WITHIN for at in times if at is not None)


async def _reviews(tx: Transaction, gone_id: int) -> Sequence[Review]:
    query = select(Review).where(col(Review.lead_id) == gone_id).order_by(col(Review.id))
    return (await tx.execute(query)).scalars().all()


async def _channel(tx: Transaction, lead: Lead, entries: Sequence[Outbox]) -> str | None:
    thread = await threads.of_lead(tx, lead.id)
    return thread.channel if thread else next((one.channel for one in entries if one.channel), None)


# Moving


def _fill(gone: Lead, stays: Lead) -> None:
    """The lead that stays takes what it lacks; its first answer is the first of both.

    Who has it, and what became of it, is taken as a whole.
    """
    fill(stays, {name: getattr(gone, name) for name in type(gone).model_fields if name not in ITS_OWN})
    if gone.first_answer_at and (stays.first_answer_at is None or gone.first_answer_at < stays.first_answer_at):
        stays.first_answer_at, stays.first_answer_by = gone.first_answer_at, gone.first_answer_by
        stays.first_answer_via = gone.first_answer_via
    if stays.owner is None:
        stays.owner, stays.owned_at = gone.owner, gone.owned_at
    if stays.outcome is None:
        stays.outcome, stays.outcome_at = gone.outcome, gone.outcome_at
        stays.outcome_by, stays.won_cents = gone.outcome_by, gone.won_cents


async def _wait(tx: Transaction, gone: Lead, stays: Lead, *, now: datetime) -> None:
    """The customer waits since the first time that neither lead was answered after, and is snoozed where either was.

    What reminds of a lead knows since when and how long it is snoozed (see `storage.reminders`): where no entry knows
    both, a new one does.
    """
    told = [(one.waiting_since, one.snoozed_until) for one in (gone, stays) if one.waiting_since is not None]
    waits = [(since, until) for since, until in told if not await leads.answered_since(tx, stays, since)]
    if not waits or states.of(stays) in states.QUIET:
        stays.waiting_since = stays.snoozed_until = None
        return
    since, until = min(waits, key=lambda one: one[0])
    latest = max((at for _, at in told if at is not None and at > now), default=None)
    stays.waiting_since, stays.snoozed_until = since, until
    if latest is not None and latest != until:
        await reminders.put_off(tx, stays, since=since, until=latest, now=now)


async def _charges(tx: Transaction, gone: Lead, stays: Lead) -> bool:
    """What the lead costs is what was told last, an update before a lead's own body; True where that changes it."""
    last = {one.lead_id: one for one in await _told_charges(tx, gone, stays)}
    theirs, ours = last.get(gone.id or 0), last.get(stays.id or 0)
    if theirs is None or (ours is not None and _weight(ours) > _weight(theirs)):
        return False
    if (theirs.raw, theirs.state) == (stays.charge_text, stays.charge_state):
        return False
    stays.charge_text, stays.charge_cents, stays.charge_state = theirs.raw, theirs.cents, theirs.state
    stays.charge_breakdown = gone.charge_breakdown  # that of another price would not add up
    return True


async def _told_charges(tx: Transaction, *of: Lead) -> list[LeadCharge]:
    query = select(LeadCharge).where(col(LeadCharge.lead_id).in_([one.id for one in of]))
    return sorted((await tx.execute(query)).scalars(), key=_weight)


def _weight(charge: LeadCharge) -> tuple[bool, int]:
    return charge.source != "lead", charge.id or 0


async def _move_rows(tx: Transaction, gone_id: int, stays_id: int) -> None:
    for row in (Message, Review, LeadCharge, LeadEvent, LeadAlias):
        await tx.execute(
            update(row)
            .where(col(row.lead_id) == gone_id)
            .values(lead_id=stays_id)
            .execution_options(synchronize_session="fetch")
        )
    await tx.execute(update(Lead).where(col(Lead.joined_id) == gone_id).values(joined_id=stays_id))
    gone = await tx.get_one(Lead, gone_id)
    tx.add(
        LeadAlias(
            lead_id=stays_id, environment=gone.environment, thumbtack_id=gone.thumbtack_id, generation=gone.generation
        )
    )


async def _move_entries(
    tx: Transaction, entries: Sequence[Outbox], gone_id: int, stays_id: int, *, now: datetime
) -> None:
    """Replies wait in the other lead's lane, in the order in which people wrote; what is to be posted is taken back.

    What is being said just now is said to its end, in the thread that points to the other lead then.
    """
    await lanes.lock(tx, thumbtack_lane(stays_id))
    lane = slack_lane(gone_id)
    for entry in entries:
        if entry.lane != lane:
            values: dict[str, Any] = {"lead_id": stays_id}
            if entry.lane == thumbtack_lane(gone_id):
                values["lane"] = thumbtack_lane(stays_id)
        elif _may_be_taken_back(entry, now):
            values = {"state": WorkState.CANCELLED, "settled_at": now}
        else:
            continue
        await tx.execute(update(Outbox).where(col(Outbox.id) == entry.id).values(**values))


def _may_be_taken_back(entry: Outbox, now: datetime) -> bool:
    if entry.claimed_until is not None and entry.claimed_until > now:
        return False
    return entry.kind in IN_LANE or (entry.kind == Kind.POST_LEAD and entry.state == WorkState.PENDING)


# Saying


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What was said about a lead, or was to be said: what is to be said in another lead's thread."""

    entries: Sequence[Outbox]
    messages: Sequence[Message]
    reviews: Sequence[Review]

    def of_messages(self) -> Iterator[tuple[Kind, Message]]:
        """Messages that were posted, or were to be; in the order in which they were sent."""
        waiting = {(one.kind, one.message_id) for one in self.entries}
        for message in sorted(self.messages, key=lambda one: (one.sent_at or one.stored_at, one.id)):
            posted = message.direction == Direction.INBOUND and message.slack_ts is not None
            if posted or (Kind.POST_MESSAGE, message.id) in waiting:
                yield Kind.POST_MESSAGE, message
            if message.attachments and (posted or (Kind.POST_PHOTOS, message.id) in waiting):
                yield Kind.POST_PHOTOS, message


async def _tell(
    tx: Transaction, told: _Told, stays: Lead, *, channel: str | None, changed: bool, now: datetime
) -> None:
    entry: dict[str, Any] = {"now": now, "lane": slack_lane(stays.id or 0), "channel": channel, "lead_id": stays.id}
    if await outbox.pending_of(tx, slack_lane(stays.id or 0), Kind.UPDATE_CARD) is None:
        await outbox.enqueue(tx, Kind.UPDATE_CARD, **entry)
    for kind, message in told.of_messages():
        await outbox.enqueue(tx, kind, message_id=message.id, **entry)
    if changed:
        payload = {"charge": stays.charge_text, "state": stays.charge_state}
        await outbox.enqueue(tx, Kind.POST_CHARGE, payload=payload, **entry)
    for review in told.reviews:
        review.channel = review.slack_ts = None  # it is posted anew
        of_review = {"review_id": review.id}
        await outbox.enqueue(tx, Kind.POST_REVIEW, payload=of_review, **entry)
        if review.photos:
            await outbox.enqueue(tx, Kind.POST_PHOTOS, payload=of_review, **entry)
    for waiting in told.entries:
        if waiting.kind in TOLD_AGAIN and (waiting.message_id is None or _may_be_taken_back(waiting, now)):
            kind = Kind(waiting.kind)
            await outbox.enqueue(tx, kind, message_id=waiting.message_id, payload=waiting.payload, **entry)
