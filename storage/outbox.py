"""What is to be said to Slack and Thumbtack: enqueued with the state it belongs to, settled with what came of it."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    CursorResult,
    ScalarSelect,
    Select,
    Update,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlmodel import col

from storage import lanes
from storage.database import Transaction, touch
from storage.models import Outbox, WorkState

TOPIC = "outbox"
SETTLED = "settled"
"""Wakes who waits until something was said; the dispatcher does not."""

CLAIM_FOR = timedelta(seconds=60)
"""How long a claim holds; far longer than any call out may take."""

FIRST = 0
"""The priority of what goes before all else that waits: new leads, and what people are waiting for."""


class ClaimLost(Exception):  # noqa: N818 -- it says what happened
    """Our claim on an entry ran out, and another dispatcher took it: what we found out is not to be written down."""


class Kind(StrEnum):
    """What an entry says, and to whom. The payload of each is described where it is delivered (bot.dispatch)."""

    POST_LEAD = "post_lead"
    POST_DETAILS = "post_details"
    POST_PHOTOS = "post_photos"
    UPDATE_CARD = "update_card"
    POST_ARRIVED = "post_arrived"
    POST_CHARGE = "post_charge"
    POST_STATUS = "post_status"
    POST_MESSAGE = "post_message"
    POST_REVIEW = "post_review"
    POST_OUTCOME = "post_outcome"
    POST_PROMPT = "post_prompt"
    POST_REPLY_LINE = "post_reply_line"
    POST_NOTICE = "post_notice"
    SET_MARK = "set_mark"
    ANSWER = "answer"
    SET_KEEPER = "set_keeper"
    SEND_REPLY = "send_reply"
    FINISH_CONNECT = "finish_connect"
    DISCONNECT = "disconnect"
    SET_TARGETING = "set_targeting"
    RECALL_PAUSE = "recall_pause"
    LIST_PHONES = "list_phones"
    CHANGE_PHONES = "change_phones"
    ERASE = "erase"
    DELETE_POSTS = "delete_posts"
    TELL_ERASED = "tell_erased"
    POST_EVENT = "post_event"
    POINT_TO_LEAD = "point_to_lead"
    CONFIRM_REPLY = "confirm_reply"
    LOOK_FOR_REPLY = "look_for_reply"
    FETCH_LEAD = "fetch_lead"
    SYNC_LEAD = "sync_lead"
    SET_WEBHOOK = "set_webhook"
    TEST_WEBHOOK = "test_webhook"
    POST_WORKED = "post_worked"
    POST_RECENT = "post_recent"
    REMIND = "remind"
    FIRST_REPLY = "first_reply"
    ASK_DIRECTLY = "ask_directly"
    PUBLISH_HOME = "publish_home"
    SHOW_FOUND = "show_found"
    OFFER_CHANNEL = "offer_channel"


def slack_lane(lead_id: int) -> str:
    """The lane of everything posted about a lead: nothing overtakes the parent message."""
    return f"slack:{lead_id}"


def thumbtack_lane(lead_id: int) -> str:
    """The lane of the replies to a lead's customer: an outage there never delays what the customer says."""
    return f"thumbtack:{lead_id}"


def targeting_lane(business_id: int) -> str:
    """The lane of what is set at Thumbtack for a business: the last that was wanted is set last."""
    return f"targeting:{business_id}"


def phones_lane(business_id: int) -> str:
    """The lane of changes to a business's phone numbers."""
    return f"phones:{business_id}"


def webhook_lane(business_id: int) -> str:
    """The lane of what is done about a business's webhook."""
    return f"webhook:{business_id}"


def home_lane(user_id: str) -> str:
    """The lane of a person's Home tab: what they turned to last is shown last."""
    return f"home:{user_id}"


def erasure_lane(erasure_id: int) -> str:
    """The lane in which a business is forgotten: the receipt comes last."""
    return f"erase:{erasure_id}"


async def enqueue(
    tx: Transaction,
    kind: Kind,
    *,
    now: datetime,
    payload: dict[str, Any] | None = None,
    lane: str | None = None,
    position: str = "",
    channel: str | None = None,
    priority: int = 1,
    lead_id: int | None = None,
    message_id: int | None = None,
    due_at: datetime | None = None,
    since: datetime | None = None,
) -> Outbox:
    """Add an entry, in the transaction of the state it belongs to; the dispatcher is woken by the commit.

    `since`: when the news came that it tells, where that was before now.
    """
    if lane is not None:
        await lanes.lock(tx, lane)
    entry = Outbox(
        delivery_id=secrets.token_hex(12),
        kind=kind,
        lane=lane,
        position=position,
        channel=channel,
        priority=priority,
        lead_id=lead_id,
        message_id=message_id,
        payload=payload or {},
        created_at=since or now,
        state=WorkState.PENDING,
        due_at=due_at or now,
    )
    tx.add(entry)
    await tx.flush()
    touch(tx, TOPIC)
    return entry


async def next_up(tx: Transaction, *, now: datetime) -> Outbox | None:
    """The entry that goes next, held until this transaction ends; None when nothing may go now."""
    while True:
        unpaced = (await tx.execute(lanes.NEXT_UNPACED, {"now": now})).scalar_one_or_none()
        paced = (await tx.execute(lanes.NEXT_PACED, {"now": now})).scalar_one_or_none()
        entry = min((one for one in (unpaced, paced) if one), key=lambda one: (one.priority, one.id), default=None)
        if entry is None or entry.lane is None or not entry.position:
            return entry
        # Only where `position` orders a lane may something come in front meanwhile: looked at once more, under its lock.
        await lanes.lock(tx, entry.lane)
        if (await tx.execute(lanes.BLOCKED, {"entry_id": entry.id})).first() is None:
            return entry


def begin(entry: Outbox, *, now: datetime, owner: str) -> None:
    """The call out for an entry that is `next_up` begins: it is ours for `CLAIM_FOR`, and may have been made from now."""
    if entry.state != WorkState.SENDING:
        entry.state, entry.sending_at = WorkState.SENDING, now
    entry.claimed_by, entry.claimed_until = owner, now + CLAIM_FOR
    entry.attempt += 1


async def hold(tx: Transaction, entry_id: int, *, now: datetime) -> Outbox | None:
    """An unsettled entry that nobody else has, held until this transaction ends."""
    query = select(Outbox).where(
        col(Outbox.id) == entry_id,
        col(Outbox.settled_at).is_(None),
        or_(col(Outbox.claimed_until).is_(None), col(Outbox.claimed_until) <= now),
    )
    return (await tx.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()


async def settle(tx: Transaction, entry: Outbox, *, state: WorkState, now: datetime, reason: str | None = None) -> None:
    """Mark an entry done, dead or cancelled; its lane goes on. Raises ClaimLost, as the next three do.

    The dispatcher is woken where something waits in the lane: nothing else can go that could not go before.
    """
    await _change(tx, entry, state=state, settled_at=now, reason=reason)
    touch(tx, SETTLED)
    if entry.lane is not None and (await tx.execute(_BEHIND, {"of": entry.lane})).first() is not None:
        touch(tx, TOPIC)


async def requeue(
    tx: Transaction,
    entry: Outbox,
    *,
    due_at: datetime,
    reason: str | None,
    maybe_done: bool = False,
    mistakes: int | None = None,
) -> None:
    """Let an entry try again at `due_at`. `maybe_done`: the call may have been made, so it is looked for first."""
    state = WorkState.SENDING if maybe_done else WorkState.PENDING
    counted = entry.mistakes if mistakes is None else mistakes
    await _change(tx, entry, state=state, due_at=due_at, reason=reason, mistakes=counted)
    touch(tx, TOPIC)


async def replace(tx: Transaction, entry: Outbox, *, payload: dict[str, Any], now: datetime) -> None:
    """Let an entry say something else at once, in the same place of its lane, as a delivery of its own."""
    await _change(
        tx,
        entry,
        payload=payload,
        delivery_id=secrets.token_hex(12),
        state=WorkState.PENDING,
        due_at=now,
        attempt=0,
        mistakes=0,
        reason=None,
        settled_at=None,
    )
    touch(tx, TOPIC)


async def park(tx: Transaction, entry: Outbox, *, reason: str) -> None:
    """Hold an entry, and its lane behind it, until a person chooses."""
    await _change(tx, entry, state=WorkState.PARKED, reason=reason)


async def _change(tx: Transaction, entry: Outbox, **values: Any) -> None:
    """Change an entry that is as we know it; where our claim ran out and another took it, the outcome is theirs.

    Another may even have settled it without an attempt of its own. `settled_at=None` takes up a settled one again.
    """
    known = {"of_id": entry.id, "of_delivery": entry.delivery_id, "of_attempt": entry.attempt, "of": entry.claimed_by}
    known["again"] = values.get("settled_at", entry) is None
    changes = {f"new_{name}": value for name, value in {"claimed_until": None, **values}.items()}
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        _changing(*changes), {**known, **changes}
    )
    if result.rowcount == 0:
        raise ClaimLost


@cache
def _changing(*names: str) -> Update:
    """The statement that changes these columns (named `new_…`), built once."""
    return (
        update(Outbox)
        .where(
            col(Outbox.id) == bindparam("of_id"),
            col(Outbox.delivery_id) == bindparam("of_delivery"),
            col(Outbox.attempt) == bindparam("of_attempt"),
            col(Outbox.claimed_by).is_not_distinct_from(bindparam("of")),
            or_(col(Outbox.settled_at).is_(None), bindparam("again", type_=Boolean)),
        )
        .values({name.removeprefix("new_"): bindparam(name) for name in names})
        .execution_options(synchronize_session=False)
    )


async def release(tx: Transaction, entry_id: int, *, now: datetime) -> None:
    """Let a pending or parked entry go at once; one that is being claimed just now goes anyway."""
    await _change_waiting(tx, entry_id, state=WorkState.PENDING, due_at=now)


async def cancel(tx: Transaction, entry_id: int, *, now: datetime) -> None:
    """Take back an entry that has not begun; one that is being claimed just now sees the state it belongs to."""
    await _change_waiting(tx, entry_id, state=WorkState.CANCELLED, settled_at=now)


async def _change_waiting(tx: Transaction, entry_id: int, **values: Any) -> None:
    """Change an entry that nobody holds. It is not waited for: its holder may wait for a row that we hold."""
    free = (
        select(col(Outbox.id))
        .where(
            col(Outbox.id) == entry_id,
            col(Outbox.settled_at).is_(None),
            col(Outbox.state).in_([WorkState.PENDING, WorkState.PARKED]),
        )
        .with_for_update(skip_locked=True)
    )
    await tx.execute(update(Outbox).where(col(Outbox.id).in_(free)).values(**values))
    touch(tx, TOPIC)


async def unsettled_reply(tx: Transaction, message_id: int) -> Outbox | None:
    """The entry that shall send this message, while it has not gone out."""
    query = select(Outbox).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == Kind.SEND_REPLY,
        col(Outbox.message_id) == message_id,
    )
    return (await tx.execute(query)).scalars().first()


async def is_said_anew(tx: Transaction, entry: Outbox) -> bool:
    """Whether a later entry of the same kind is about the same message."""
    query = select(col(Outbox.id)).where(
        col(Outbox.message_id) == entry.message_id, col(Outbox.kind) == entry.kind, col(Outbox.id) > entry.id
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def pending_of(tx: Transaction, lane: str, kind: Kind) -> Outbox | None:
    """An entry of this kind that waits in the lane and has not begun: what it will say is read when it goes.

    It is held until this transaction ends, so that it goes after our commit; one that is being claimed does not count.
    """
    query = select(Outbox).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.lane) == lane,
        col(Outbox.kind) == kind,
        col(Outbox.state) == WorkState.PENDING,
    )
    found = (await tx.execute(query.limit(1).with_for_update(skip_locked=True))).scalars().first()
    if found is not None:
        touch(tx, TOPIC)  # who looked for it meanwhile looks again
    return found


async def hasten(tx: Transaction, lane: str, kind: Kind, *, now: datetime) -> None:
    """Let an entry that waits for its time go at once, unless it was tried before."""
    found = await pending_of(tx, lane, kind)
    if found is not None and found.attempt == 0:
        found.due_at = min(found.due_at, now)
        await tx.flush()


async def lead_post_under_way(tx: Transaction, channel: str, *, besides: int = 0) -> bool:
    """Whether a lead's first post to this channel may be out while we do not know its ts yet."""
    query = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == Kind.POST_LEAD,
        col(Outbox.channel) == channel,
        text("state = 'sending'"),  # word for word as the index over them says it
        col(Outbox.lead_id) != besides,
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def card_on_its_way(tx: Transaction, lead_id: int) -> str | None:
    """The channel of a lead's first post that may be out already, with what was known when it went."""
    query = select(col(Outbox.channel)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.kind) == Kind.POST_LEAD,
        col(Outbox.lead_id) == lead_id,
        col(Outbox.state) == WorkState.SENDING,
    )
    found: str | None = (await tx.execute(query.limit(1))).scalar_one_or_none()
    return found


async def cards_wait(tx: Transaction, *, reason: str) -> bool:
    """Whether a lead's card was tried, and waits for this reason."""
    query = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None), col(Outbox.kind) == Kind.POST_LEAD, col(Outbox.reason) == reason
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def after_this(tx: Transaction, *, now: datetime) -> datetime | None:
    """When to look again after an entry was claimed: `now` where something is due that nobody has claimed.

    That may be held by its lane or its channel's pace, which `next_due` knows. None: nothing waits for a time.
    """
    more, *times = (await tx.execute(_AFTER, {"now": now})).one()
    return now if more else min((at for at in times if at is not None), default=None)


async def next_due(tx: Transaction, *, now: datetime) -> datetime | None:
    """When to look again at the latest: an entry is due, a channel's pace or a claim ends. None: nothing waits so."""
    found = (await tx.execute(_TIMES, {"now": now})).one()
    return min((at for at in found if at is not None), default=None)


def _times() -> Select[Any]:
    return select(*_later(), lanes.first_pace().scalar_subquery())


def _after() -> Select[Any]:
    due, claimed = col(Outbox.due_at), col(Outbox.claimed_until)
    more = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        due <= lanes.NOW,
        col(Outbox.state) != WorkState.PARKED,
        or_(claimed.is_(None), claimed <= lanes.NOW),
    )
    return select(more.exists(), *_later())


def _later() -> Sequence[ScalarSelect[Any]]:
    """When the first entry is due, and when the first claim ends."""
    waits, due, claimed = col(Outbox.settled_at).is_(None), col(Outbox.due_at), col(Outbox.claimed_until)
    first_due = select(func.min(due)).where(waits, due > lanes.NOW, col(Outbox.state) != WorkState.PARKED)
    first_claim = select(func.min(claimed)).where(claimed.is_not(None), claimed > lanes.NOW, waits)
    return first_due.scalar_subquery(), first_claim.scalar_subquery()


_TIMES, _AFTER = _times(), _after()
_BEHIND = select(col(Outbox.id)).where(col(Outbox.settled_at).is_(None), col(Outbox.lane) == bindparam("of")).limit(1)
