"""What is to be said to Slack and Thumbtack: enqueued with the state it belongs to, settled with what came of it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlmodel import col

from storage import entries, lanes, pacing
from storage.adding import adding
from storage.columns import UtcDateTime, word
from storage.database import Transaction, touch
from storage.entries import COLUMNS, Entry
from storage.models import Outbox, WorkState
from storage.prepared import Prepared
from storage.whole import Whole

TOPIC = "outbox"
SETTLED = "settled"
"""Wakes who waits until something was said; the dispatcher does not."""

CLAIM_FOR = timedelta(seconds=60)
"""How long a claim holds; far longer than any call out may take."""

NEWER = "newer_version"
"""The reason of what waits for a version of the program that knows it, which runs beside us while an upgrade rolls."""

LEFT_FOR, LEFT_AT_MOST = timedelta(seconds=2), timedelta(hours=1)
"""For how long it is left to that one each time, and how long after it was written none is there any more."""

A_TURN = timedelta(minutes=1)
"""By how much each entry of a lane counts as younger than the one before it: so much of another lane may go between."""

INSTANT = timedelta(microseconds=1)
"""The shortest time that both databases tell apart."""

ENQUEUED = "enqueued"

FIRST = 0
"""The priority of what goes before all else that waits: new leads, and what people are waiting for."""


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
    READ_BACK = "read_back"


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """An entry that was added."""

    id: int
    delivery_id: str
    channel: str | None
    turn_at: datetime


METHODS: Mapping[Kind, str] = {
    Kind.UPDATE_CARD: "chat.update",
    Kind.POINT_TO_LEAD: "chat.update",
    Kind.SET_MARK: "reactions.add",
    Kind.DELETE_POSTS: "chat.delete",
    Kind.POST_PROMPT: "chat.postEphemeral",
    Kind.PUBLISH_HOME: "views.publish",
    Kind.READ_BACK: "conversations.replies",
}
"""What goes in the pace of a method of Slack's for the whole workspace; what else has a channel, in that of the channel."""


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


def pace_of(kind: Kind) -> str | None:
    """The row that bounds all entries of a kind; None for those that keep the pace of their channel, or none."""
    method = METHODS.get(kind)
    return None if method is None else pacing.method_key(method)


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
) -> Enqueued:
    """Add an entry, in the transaction of the state it belongs to; the dispatcher is woken by the commit.

    `since`: when the news came that it tells, where that was before now.
    """
    if lane is not None:
        await lanes.lock(tx, lane)
    delivery_id = secrets.token_hex(12)
    turn_at = await _turn(tx, lane, now) if channel is not None and priority > FIRST else now
    entry_id = await _ADD.scalar(
        tx,
        delivery_id=delivery_id,
        kind=kind,
        lane=lane,
        position=position,
        channel=channel,
        pace=pace_of(kind),
        priority=priority,
        turn_at=turn_at,
        lead_id=lead_id,
        message_id=message_id,
        payload=payload or {},
        created_at=since or now,
        state=WorkState.PENDING,
        due_at=due_at or now,
    )
    touch(tx, TOPIC)
    tx.info.setdefault(ENQUEUED, []).append(delivery_id)
    return Enqueued(id=entry_id, delivery_id=delivery_id, channel=channel, turn_at=turn_at)


async def explain(tx: Transaction, entry: Enqueued, reason: str) -> None:
    """Remember why an entry that was added waits for its time."""
    await tx.execute(update(Outbox).where(col(Outbox.id) == entry.id).values(reason=reason))


async def _turn(tx: Transaction, lane: str | None, now: datetime) -> datetime:
    """When an entry counts as come: a lead of whom much is said at once does not hold up the others.

    It is after `now` wherever something waits in the lane, however long it has waited (see `waits_behind`).
    """
    last: datetime | None = None if lane is None else await _LAST_TURN.scalar(tx, lane=lane)
    return now if last is None else max(now + INSTANT, last + A_TURN)


def waits_behind(entry: Enqueued, *, now: datetime) -> bool:
    """Whether others of its lane may have waited when an entry was added `now` (see `_turn`, which looked)."""
    return entry.channel is None or entry.turn_at > now


def enqueued(tx: Transaction) -> Sequence[str]:
    """The delivery ids of what this transaction added: what a log follows an event by."""
    return tuple(tx.info.get(ENQUEUED, ()))


async def next_up(tx: Transaction, *, now: datetime) -> Entry | None:
    """The entry that goes next, held until this transaction ends; None when nothing may go now."""
    while True:
        found = await lanes.NEXT_OUTBOX.first(tx, now=now, now_us=pacing.micros(now))
        if found is None:
            return None
        entry = Entry(*found)
        if entry.lane is None or not entry.position:
            return entry
        # Only where `position` orders a lane may something come in front meanwhile: looked at once more, under its lock.
        await lanes.lock(tx, entry.lane)
        if await lanes.BLOCKED.first(tx, entry_id=entry.id) is None:
            return entry


async def begin(tx: Transaction, entry: Entry, *, now: datetime, owner: str) -> Entry:
    """The call out for an entry that is `next_up` begins: it is ours for `CLAIM_FOR`, and may have been made from now."""
    claimed = entry.begun(now=now, owner=owner)
    await entries.claim(tx, claimed, until=now + CLAIM_FOR)
    return claimed


async def hold(tx: Transaction, entry_id: int, *, now: datetime, owner: str) -> Entry | None:
    """An unsettled entry that nobody but `owner` has, held until this transaction ends."""
    query = select(*COLUMNS).where(
        col(Outbox.id) == entry_id,
        col(Outbox.settled_at).is_(None),
        or_(col(Outbox.claimed_until).is_(None), col(Outbox.claimed_until) <= now, col(Outbox.claimed_by) == owner),
    )
    found = (await tx.execute(query.with_for_update(skip_locked=True))).one_or_none()
    return None if found is None else Entry(*found)


async def is_ours(tx: Transaction, entry: Entry) -> bool:
    """Whether a claim still stands: it did not run out, or nobody has taken the entry since."""
    query = select(col(Outbox.id)).where(
        col(Outbox.id) == entry.id,
        col(Outbox.settled_at).is_(None),
        col(Outbox.delivery_id) == entry.delivery_id,
        col(Outbox.attempt) == entry.attempt,
        col(Outbox.claimed_by) == entry.claimed_by,
    )
    return (await tx.execute(query)).first() is not None


async def settle(tx: Transaction, entry: Entry, *, state: WorkState, now: datetime, reason: str | None = None) -> None:
    """Mark an entry done, dead or cancelled; its lane goes on. Raises ClaimLost, as the next three do.

    The dispatcher is woken where something waits in the lane: nothing else can go that could not go before. That of other
    processes is not, by this and the next three: who delivered it goes on with its lane.
    """
    others_wait = await entries.change(tx, entry, state=state, settled_at=now, reason=reason)
    touch(tx, SETTLED, only_here=True)
    if others_wait:
        touch(tx, TOPIC, only_here=True)


async def requeue(
    tx: Transaction,
    entry: Entry,
    *,
    due_at: datetime,
    reason: str | None,
    maybe_done: bool = False,
    mistakes: int | None = None,
) -> None:
    """Let an entry try again at `due_at`. `maybe_done`: the call may have been made, so it is looked for first."""
    state = WorkState.SENDING if maybe_done else WorkState.PENDING
    counted = entry.mistakes if mistakes is None else mistakes
    await entries.change(tx, entry, state=state, due_at=due_at, reason=reason, mistakes=counted)
    touch(tx, TOPIC, only_here=True)


async def leave(tx: Transaction, entry: Entry, *, due_at: datetime) -> None:
    """Let a newer version of the program, which runs beside us, take an entry of which this one knows nothing."""
    await entries.change(tx, entry, due_at=due_at, reason=NEWER)
    touch(tx, TOPIC)


async def replace(tx: Transaction, entry: Entry, *, payload: dict[str, Any], now: datetime) -> None:
    """Let an entry say something else at once, in the same place of its lane, as a delivery of its own."""
    await entries.change(
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
    touch(tx, TOPIC, only_here=True)


async def park(tx: Transaction, entry: Entry, *, reason: str) -> None:
    """Hold an entry, and its lane behind it, until a person chooses."""
    await entries.change(tx, entry, state=WorkState.PARKED, reason=reason)


async def redirect(
    tx: Transaction, entry: Entry, *, channel: str | None, pace: str | None, now: datetime, maybe_done: bool
) -> None:
    """Let an entry go at once in the pace of another place: where it goes is known only now."""
    state = WorkState.SENDING if maybe_done else WorkState.PENDING
    await entries.change(tx, entry, state=state, due_at=now, reason=None, channel=channel, pace=pace)
    touch(tx, TOPIC, only_here=True)


async def amend(tx: Transaction, entry: Entry, *, payload: dict[str, Any]) -> Entry:
    """Let an entry that is held say something else, whatever becomes of it; what it is then."""
    await entries.change(tx, entry, payload=payload)
    return entry._replace(payload=payload)


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
            col(Outbox.state).in_([word(WorkState.PENDING), word(WorkState.PARKED)]),
        )
        .with_for_update(skip_locked=True)
    )
    await tx.execute(update(Outbox).where(col(Outbox.id).in_(free)).values(**values))
    touch(tx, TOPIC)


async def pending_of(tx: Transaction, lane: str, kind: Kind) -> Outbox | None:
    """An entry of this kind that waits in the lane and has not begun: what it will say is read when it goes.

    It is held until this transaction ends, so that it goes after our commit; one that is being claimed does not count.
    """
    found = await _pending_of(kind).first(tx, of=lane)
    if found is None:
        return None
    touch(tx, TOPIC)  # who looked for it meanwhile looks again
    return _OUTBOX.of(tx, found)


@cache
def _pending_of(kind: Kind) -> Prepared:
    query = select(*_OUTBOX.columns).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.lane) == bindparam("of"),
        col(Outbox.kind) == word(kind),
        col(Outbox.state) == word(WorkState.PENDING),
    )
    return Prepared(query.limit(1).with_for_update(skip_locked=True))


async def hasten(tx: Transaction, lane: str, kind: Kind, *, now: datetime) -> None:
    """Let an entry that waits for its time go at once, unless it was tried before."""
    found = await pending_of(tx, lane, kind)
    if found is not None and found.attempt == 0:
        found.due_at = min(found.due_at, now)
        await tx.flush()


# Built once: that takes ten times as long as running them.
_LAST_TURN = Prepared(
    select(func.max(Outbox.turn_at, type_=UtcDateTime)).where(
        col(Outbox.settled_at).is_(None), col(Outbox.lane) == bindparam("lane")
    )
)
_OUTBOX = Whole(Outbox)
_ADD = adding(
    Outbox, "delivery_id", "kind", "lane", "position", "channel", "pace", "priority", "turn_at", "lead_id",
    "message_id", "payload", "created_at", "state", "due_at",
)  # fmt: skip
