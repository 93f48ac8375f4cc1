"""What becomes of a message a person writes in a lead's thread: one state at a time, and the mark that shows it.

Listeners and the dispatcher both move messages through these functions, each in its own transaction; nobody else does.
Whoever moves one holds it first (`messages.to_change`), so that of two who decide at once one sees what the other did.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from bot import ways
from bot.blocks.leads import RepliesGo
from bot.errors import Reason
from bot.notes import Disposition, disposition
from bot.settings import ReplyMode, Settings
from storage import leads, outbox, threads
from storage.database import Transaction
from storage.models import Lead, Message, ReplyState
from storage.outbox import Kind, slack_lane, thumbtack_lane

MARKS: dict[ReplyState, str | None] = {
    ReplyState.HELD: "hourglass_flowing_sand",
    ReplyState.WAITING: "hourglass_flowing_sand",
    ReplyState.SENDING: "hourglass_flowing_sand",
    ReplyState.LOOKING: "hourglass_flowing_sand",
    ReplyState.CHOICE: "hourglass_flowing_sand",
    ReplyState.DELIVERED: "white_check_mark",
    ReplyState.OVERDUE: "x",
    ReplyState.REFUSED: "x",
    ReplyState.UNKNOWN: "warning",
    ReplyState.KEPT: "memo",
    ReplyState.CANCELLED: None,
}

MARK_FIRST = 0
GOING = (ReplyState.HELD, ReplyState.WAITING)

ASKS = (Disposition.ASK_NOTE, Disposition.ASK_MENTION, Disposition.ASK_ONLY_EMOJI)
"""Kept inside with a Send button."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the functions below work with: a transaction, the settings and the time."""

    tx: Transaction
    settings: Settings
    now: datetime


async def why_not(desk: Desk, lead: Lead) -> Reason | None:
    """The code of what keeps every reply to this lead from being sent; None where they go, or wait to be able to."""
    found = await ways.find(desk.tx, desk.settings, lead, now=desk.now)
    return found if isinstance(found, Reason) else None


async def replies_go(desk: Desk, lead: Lead) -> RepliesGo:
    """What happens to what the team writes about this lead."""
    match await why_not(desk, lead):
        case Reason.OTHER_ENVIRONMENT:
            return RepliesGo.STAGING
        case Reason.TEST_LEAD:
            return RepliesGo.TEST
        case None:
            return RepliesGo.QUIET if desk.settings.reply_mode is ReplyMode.QUIET else RepliesGo.OUT
        case _:
            return RepliesGo.INSIDE


def reading(settings: Settings, message: Message) -> Disposition:
    """What the message, as it stands now, is by its words."""
    quiet = settings.reply_mode is ReplyMode.QUIET
    return disposition(message.text, message.blocks, files=message.has_files, quiet=quiet)


def deadline(settings: Settings, message: Message) -> datetime:
    """When a reply is too old to be sent by itself: "on my way, 20 minutes" must not arrive two days later.

    Its age counts from when it was written in Slack, whoever was late with it, or from when a person confirmed it.
    """
    since = message.confirmed_at or min(message.stored_at, _written_at(message))
    return since + timedelta(minutes=settings.reply_max_age_minutes)


def _written_at(message: Message) -> datetime:
    """A Slack ts begins with the seconds since 1970 (docs.slack.dev/messaging/retrieving-messages)."""
    try:
        return datetime.fromtimestamp(float(message.slack_ts or ""), UTC)
    except (ValueError, OverflowError, OSError):  # written in the window, or not a ts that Slack makes
        return message.stored_at


async def move(desk: Desk, message: Message, state: ReplyState, *, reason: str | None = None) -> None:
    """Put a message into a state; its mark in Slack follows within seconds."""
    message.state, message.reason = state, reason
    await remark(desk, message)


async def remark(desk: Desk, message: Message) -> None:
    """Let the mark in Slack be brought up to what the message's state says."""
    stands = message.mark == MARKS[message.state or ReplyState.KEPT] and not message.marks_tried
    if stands or not (message.slack_ts or message.line_ts):
        return
    lane = f"mark:{message.id}"
    if await outbox.pending_of(desk.tx, lane, Kind.SET_MARK) is None:
        await outbox.enqueue(
            desk.tx, Kind.SET_MARK, now=desk.now, lane=lane, priority=MARK_FIRST, message_id=message.id
        )


async def take(desk: Desk, message: Message, lead: Lead) -> None:
    """Decide about a message that was just stored: it waits for its hold window, stays inside, or asks."""
    kind, cannot = reading(desk.settings, message), await why_not(desk, lead)
    match kind:
        case Disposition.NOTE | Disposition.QUIET | Disposition.EMPTY:
            await move(desk, message, ReplyState.KEPT, reason=kind)
        case _ if cannot is Reason.OTHER_ENVIRONMENT:
            await refuse(desk, message, reason=cannot)
        case _ if cannot is Reason.TEST_LEAD:
            await move(desk, message, ReplyState.KEPT, reason=cannot)
        case _ if cannot is not None:
            await move(desk, message, ReplyState.KEPT, reason=cannot)
            await prompt(desk, message, "inside")
        case Disposition.SEND:
            await hold(desk, message)
        case Disposition.ASK_NOTE | Disposition.ASK_MENTION | Disposition.ASK_ONLY_EMOJI:
            await move(desk, message, ReplyState.KEPT, reason=kind)
            await prompt(desk, message, "kept")
        case Disposition.FILE_ALONE | Disposition.TOO_LONG:
            await refuse(desk, message, reason=kind)
        case Disposition.FILE_WITH_TEXT:
            await move(desk, message, ReplyState.CHOICE, reason=kind)
            await prompt(desk, message, "file")
        case _:
            assert_never(kind)


async def hold(desk: Desk, message: Message) -> None:
    """Let a reply go when its hold window closes; until then its writer can change their mind."""
    goes_at = message.stored_at + timedelta(seconds=desk.settings.reply_hold_seconds)
    await move(desk, message, ReplyState.HELD)
    await send(desk, message, due_at=goes_at)
    if desk.now < goes_at < deadline(desk.settings, message):
        await prompt(desk, message, "held")


async def send(desk: Desk, message: Message, *, due_at: datetime | None = None, position: str | None = None) -> None:
    """Queue a message for the customer, in the order in which it stands in Slack; or where it stood in the lane."""
    await outbox.enqueue(
        desk.tx,
        Kind.SEND_REPLY,
        now=desk.now,
        lane=thumbtack_lane(leads.known(message.lead_id)),
        position=position or message.slack_ts or f"{desk.now.timestamp():.6f}",
        due_at=due_at,
        lead_id=message.lead_id,
        message_id=message.id,
    )


async def send_now(desk: Desk, message: Message) -> None:
    """A person says that this message goes out, now: its age counts from here."""
    message.confirmed_at = desk.now
    await move(desk, message, ReplyState.HELD)
    entry = await outbox.unsettled_reply(desk.tx, leads.known(message.id))
    if entry is None:
        await send(desk, message)
    else:
        await outbox.release(desk.tx, leads.known(entry.id), now=desk.now)


async def withdraw(desk: Desk, message: Message, state: ReplyState, *, reason: str | None = None) -> None:
    """This message does not go out; its lane goes on."""
    entry = await outbox.unsettled_reply(desk.tx, leads.known(message.id))
    if entry is not None:
        await outbox.cancel(desk.tx, leads.known(entry.id), now=desk.now)
    await move(desk, message, state, reason=reason)


async def refuse(desk: Desk, message: Message, *, reason: str, detail: str | None = None) -> None:
    """It cannot go out: the mark says so, and a line in the thread says why."""
    await move(desk, message, ReplyState.REFUSED, reason=reason)
    await outcome(desk, message, "refused", reason=reason, detail=detail)


async def outcome(desk: Desk, message: Message, what: str, **payload: Any) -> None:
    """Say in the lead's thread what came of a reply: "refused", "unknown" or "overdue"."""
    thread = await threads.of_lead(desk.tx, message.lead_id)
    await outbox.enqueue(
        desk.tx,
        Kind.POST_OUTCOME,
        now=desk.now,
        lane=slack_lane(leads.known(message.lead_id)),
        channel=thread.channel if thread else None,
        lead_id=message.lead_id,
        message_id=message.id,
        payload={"outcome": what, **payload},
    )


async def prompt(desk: Desk, message: Message, what: str) -> None:
    """Ask or tell the writer alone; what was written in the window has its outcome in the thread."""
    if message.slack_ts is None:
        return
    await outbox.enqueue(
        desk.tx,
        Kind.POST_PROMPT,
        now=desk.now,
        priority=MARK_FIRST,
        lead_id=message.lead_id,
        message_id=message.id,
        payload={"prompt": what},
    )
