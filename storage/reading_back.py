"""Which threads are read back after something was missed, and how that waits in the outbox, so that it survives a kill."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlmodel import col

from storage import channels, leads, outbox
from storage.columns import word
from storage.database import Transaction
from storage.models import Business, Direction, Lead, Message, Outbox, ReplyState, Route, Thread, WorkState
from storage.outbox import FIRST, Kind, thumbtack_lane
from storage.states import OVER
from storage.threads import LeadThread

MOST = 300
"""Threads that are read; with the pause between them that takes seven minutes and a half."""

OLDEST = timedelta(days=60)
"""How old a card may be below which it is still looked for what people wrote."""

FARTHEST = timedelta(days=14)
"""How far back it is looked: of what is older, nobody wants to be asked whether it shall go out."""

MARGIN = timedelta(minutes=10)
"""How much earlier than the absence: Slack tries for six minutes, and its clock is not ours."""

PAUSE = timedelta(seconds=1.5)
"""Between two threads: Slack permits 50 calls of conversations.replies a minute (docs.slack.dev/apis/web-api/rate-limits,
Tier 3), and some are needed for looking after lost answers."""

AT_ONCE = 10
"""How many threads are read without such a pause, where replies wait: Slack tolerates a burst."""

OVER_WITH = (ReplyState.DELIVERED, ReplyState.LOOKING, ReplyState.UNKNOWN, ReplyState.CANCELLED)
"""The states of messages that went out, may have, or never will."""

QUIET = "quiet"
"""The reply mode in which what people wrote stays inside."""

LATER = 2
"""The priority of what goes after all else."""


async def enqueue(tx: Transaction, *, since: datetime, now: datetime, mode: str | None = None) -> int:
    """Let threads be read back from then on: those in which a reply waits first, then open leads', the newest first.

    They stand before all replies of their lead: what was edited or deleted meanwhile counts for what waits. `mode`: the
    reply mode until now, where a channel has none of its own. Returns how many.
    """
    await _take_back(tx, now=now)
    planned = {entry.payload["thread_id"]: entry for entry in await _planned(tx)}
    oldest = max(since - MARGIN, now - FARTHEST)
    lanes = await _lanes_with_replies(tx)
    found = [(thread, await leads.get(tx, thread.lead_id)) for thread in await _threads(tx, lanes, now=now)]
    waiting = [(thread, lead) for thread, lead in found if lead and thumbtack_lane(leads.known(lead.id)) in lanes]
    others = [(thread, lead) for thread, lead in found if lead and thumbtack_lane(leads.known(lead.id)) not in lanes]
    at_once = min(len(waiting), AT_ONCE)
    modes = {one.channel: one.reply_mode for one in await channels.listed(tx) if one.reply_mode is not None}
    for place, (thread, lead) in enumerate([*waiting, *others]):
        is_urgent, due_at = place < len(waiting), now + PAUSE * max(0, place - at_once)
        known, quiet = planned.get(thread.id), modes.get(thread.channel, mode) == QUIET
        if known is None:
            priority = FIRST if is_urgent else LATER
            await add(
                tx, thread, leads.known(lead.id), since=oldest, now=now, quiet=quiet, due_at=due_at, priority=priority
            )
        else:
            since_then = min(known.payload["since"], oldest.isoformat())
            quiet = quiet or known.payload.get("quiet", False)
            known.payload = {**known.payload, "since": since_then, "until": now.isoformat(), "quiet": quiet}
            known.due_at = min(known.due_at, due_at)
    await tx.flush()
    return len(found)


async def add(
    tx: Transaction,
    thread: Thread | LeadThread,
    lead_id: int,
    *,
    since: datetime,
    now: datetime,
    quiet: bool,
    due_at: datetime | None = None,
    priority: int = FIRST,
) -> None:
    """Let one thread be read back; from now on Slack tells us what becomes of it. `quiet`: what was written stays inside."""
    await outbox.enqueue(
        tx,
        Kind.READ_BACK,
        now=now,
        lane=thumbtack_lane(lead_id),
        lead_id=lead_id,
        payload={"thread_id": thread.id, "since": since.isoformat(), "until": now.isoformat(), "quiet": quiet},
        due_at=due_at,
        priority=priority,
    )


async def _take_back(tx: Transaction, *, now: datetime) -> None:
    """Let replies wait again that a process claimed and never handed over: as what is under way they would wait for nobody.

    Where that process lives after all it finds that the reply is not its own any more. What is being changed just now
    is not waited for: whoever changes it holds the reply or the entry, in either order.
    """
    claimed = (
        select(col(Outbox.id))
        .join(Message, col(Message.id) == col(Outbox.message_id))
        .where(
            col(Outbox.settled_at).is_(None),
            col(Outbox.kind) == Kind.SEND_REPLY,
            col(Outbox.state) == WorkState.SENDING,
            or_(col(Outbox.claimed_until).is_(None), col(Outbox.claimed_until) <= now),
            col(Message.sent_at).is_(None),
        )
    )
    found = (await tx.execute(claimed.with_for_update(skip_locked=True))).scalars().all()
    waits = update(Outbox).where(col(Outbox.id).in_(found))
    waits = waits.values(state=WorkState.PENDING, claimed_by=None, claimed_until=None)
    await tx.execute(waits.execution_options(synchronize_session=False))


async def _planned(tx: Transaction) -> Sequence[Outbox]:
    """What is to be read already and has not begun."""
    query = select(Outbox).where(
        col(Outbox.settled_at).is_(None), col(Outbox.kind) == Kind.READ_BACK, col(Outbox.state) == WorkState.PENDING
    )
    return (await tx.execute(query.with_for_update(skip_locked=True))).scalars().all()


async def _lanes_with_replies(tx: Transaction) -> Collection[str]:
    """The lanes in which a reply waits, or is going."""
    query = select(col(Outbox.lane)).where(col(Outbox.settled_at).is_(None), col(Outbox.kind) == Kind.SEND_REPLY)
    return {lane for lane in (await tx.execute(query.distinct())).scalars() if lane is not None}


async def _threads(tx: Transaction, lanes: Collection[str], *, now: datetime) -> Sequence[Thread]:
    """The threads worth reading, those whose replies wait first, whatever became of the lead; then the newest."""
    waiting = [int(lane.rpartition(":")[2]) for lane in sorted(lanes)]
    is_open = (
        col(Lead.outcome).is_(None)
        & func.lower(func.coalesce(col(Lead.status), "")).not_in(sorted(OVER))
        & (col(Thread.attached_at) > now - OLDEST)
    )
    # Each goes along the threads from the newest on, and no farther than it must: both at once would read all there are.
    first = await _newest(tx, col(Thread.lead_id).in_(waiting), most=MOST) if waiting else []
    others = await _newest(tx, is_open & col(Thread.lead_id).not_in(waiting), most=MOST - len(first))
    return [*first, *others]


async def _newest(tx: Transaction, which: ColumnElement[bool], *, most: int) -> Sequence[Thread]:
    closed = [one.channel for one in await channels.listed(tx) if one.closed is not None]
    query = (
        select(Thread)
        .join(Lead, col(Thread.lead_id) == col(Lead.id))
        .where(which, col(Thread.channel).not_in(closed))
        .order_by(col(Thread.id).desc())
        .limit(most)
    )
    return (await tx.execute(query)).scalars().all()


async def channels_in_use(tx: Transaction, *, default: str | None, now: datetime) -> Sequence[str]:
    """Where leads go, and where open ones stand; without those that are closed to us."""
    own = (await tx.execute(select(col(Business.channel)).where(col(Business.channel).is_not(None)))).scalars()
    ruled = (await tx.execute(select(col(Route.channel)))).scalars()
    stand = [thread.channel for thread in await _threads(tx, (), now=now)]
    used = dict.fromkeys(one for one in (default, *own, *ruled, *stand) if one)
    return [channel for channel in used if not await channels.is_closed(tx, channel)]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A person's message that we know of. `waits`: it did not go out; `is_deleted`: we know that its writer deleted it."""

    ts: str
    waits: bool
    is_deleted: bool


async def written_in(tx: Transaction, thread: LeadThread) -> Mapping[str, Written]:
    """What we know of people's messages in a thread, by their ts."""
    query = select(col(Message.slack_ts), col(Message.state), col(Message.deleted_at)).where(
        col(Message.channel) == thread.channel,
        col(Message.thread_ts) == thread.ts,
        col(Message.direction) == word(Direction.OUTBOUND),
        col(Message.slack_ts).is_not(None),
    )
    return {
        ts: Written(ts=ts, waits=state not in OVER_WITH, is_deleted=deleted_at is not None)
        for ts, state, deleted_at in (await tx.execute(query)).all()
        if ts is not None
    }
