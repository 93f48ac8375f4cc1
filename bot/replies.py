"""What becomes of a message a person writes in a lead's thread: one state at a time, and the mark that shows it.

Listeners and the dispatcher both move messages through these functions, each in its own transaction; nobody else does.
Whoever moves one holds it first (`messages.to_change`), so that of two who decide at once one sees what the other did.
"""

from datetime import datetime, timedelta
from typing import Any, assert_never

from bot import doubts, reply_rules
from bot.errors import Reason
from bot.notes import Disposition
from bot.reply_rules import Desk
from storage import cards, leads, outbox, owning, states, threads, unsettled
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

AWAITED = frozenset({"kept", "file", *doubts.DOUBTS})
"""Prompts that ask something."""

ASK_DIRECTLY_AFTER = timedelta(minutes=2)
"""What only its writer sees vanishes when they reload: what still waits for them then comes as a direct message."""


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


async def take(desk: Desk, message: Message, lead: Lead, *, by_outsider: bool = False, quiet: bool = False) -> None:
    """Decide about a message that was just stored: it waits for its hold window, stays inside, or asks.

    `by_outsider`: its writer is known to be one who may not write to customers; who else is one is found out before it
    is sent. `quiet`: it was written under quiet mode.
    """
    kind, cannot = await reply_rules.reading(desk, message, quiet=quiet), await reply_rules.why_not(desk, lead)
    if by_outsider and cannot is None:
        cannot = Reason.OUTSIDER
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
            await go(desk, message, lead)
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


async def go(desk: Desk, message: Message, lead: Lead, *, past: str | None = None) -> None:
    """Let a reply go, unless there is something that its writer must say first.

    `past`: what they were asked about last, and is settled. Who answers a lead that nobody has, has it from then on; of
    two who do so at once, the other is asked.
    """
    doubt = await doubts.next_one(desk, message, await leads.to_change(desk.tx, lead.id) or lead, past=past)
    if doubt is not None:
        await stop(desk, message, doubt)
        return
    await claimed(desk, lead, by=message.author)
    await (hold(desk, message) if message.confirmed_at is None else _let_go(desk, message))


async def stop(desk: Desk, message: Message, doubt: Reason) -> None:
    """A reply does not go out: its writer is asked, or told that it cannot."""
    if doubt is Reason.CONTACT_BLOCKED:
        await withdraw(desk, message, ReplyState.REFUSED, reason=doubt)
        await outcome(desk, message, "refused", reason=doubt)
    else:
        await withdraw(desk, message, ReplyState.CHOICE, reason=doubt)
        await prompt(desk, message, doubt)


async def confirm(desk: Desk, message: Message) -> None:
    """Its writer says that it goes out, and nothing is held any more; there may be one more thing to ask."""
    message.confirmed_at = desk.now
    await go_on(desk, message)


async def go_on(desk: Desk, message: Message) -> None:
    """What its writer was asked about is settled."""
    lead = await leads.get(desk.tx, leads.known(message.lead_id))
    if lead is not None:
        await go(desk, message, lead, past=message.reason)


async def claimed(desk: Desk, lead: Lead, *, by: str | None) -> None:
    """The first who answers a lead has it, and its card says so."""
    held = await leads.to_change(desk.tx, lead.id)
    if held is None or by is None:
        return
    if owning.claim(desk.tx, held, user=by, now=desk.now).changed:
        await cards.update(desk.tx, leads.known(held.id), now=desk.now)


async def answered(desk: Desk, message: Message) -> None:
    """The customer has this reply: the lead is answered, and its card says so. What nobody wrote is no answer."""
    lead = None if message.lead_id is None else await leads.to_change(desk.tx, message.lead_id)
    if lead is None or message.is_automatic:
        return
    before = states.of(lead)
    leads.answered(desk.tx, lead, actor=message.author, via="slack", now=desk.now)
    if states.of(lead) is not before:
        await cards.update(desk.tx, leads.known(lead.id), now=desk.now)


async def hold(desk: Desk, message: Message) -> None:
    """Let a reply go when its hold window closes; until then its writer can change their mind."""
    goes_at = message.stored_at + timedelta(seconds=desk.settings.reply_hold_seconds)
    await move(desk, message, ReplyState.HELD)
    await send(desk, message, due_at=goes_at)
    if desk.now < goes_at < reply_rules.deadline(desk.settings, message):
        await prompt(desk, message, "held")


async def send(desk: Desk, message: Message, *, due_at: datetime | None = None, position: str | None = None) -> None:
    """Queue a message for the customer, in the order in which it stands in Slack; or where it stood in the lane.

    A thread that is to be read back goes first: what was written there before goes out before.
    """
    lane = thumbtack_lane(leads.known(message.lead_id))
    await outbox.hasten(desk.tx, lane, Kind.READ_BACK, now=desk.now)
    await outbox.enqueue(
        desk.tx,
        Kind.SEND_REPLY,
        now=desk.now,
        lane=lane,
        position=position or message.slack_ts or f"{desk.now.timestamp():.6f}",
        due_at=due_at,
        lead_id=message.lead_id,
        message_id=message.id,
    )


async def send_now(desk: Desk, message: Message) -> None:
    """A person says that this message goes out, now: its age counts from here."""
    message.confirmed_at = desk.now
    await _let_go(desk, message)


async def resend(desk: Desk, message: Message) -> None:
    """A person says so of one that was stopped, or may have arrived: what it was edited into is looked at first."""
    kind = doubt = None
    if doubts.is_to_be_read(message):
        kind, doubt = await reply_rules.reading(desk, message), await doubts.contact_doubt(desk, message)
    if message.slack_ts is None:  # written in the window, or by nobody: there is nobody to be asked, and no edit
        kind, doubt = None, None if doubt is Reason.CONTACT_DATA else doubt
    if kind is Disposition.QUIET or kind in ASKS:
        await withdraw(desk, message, ReplyState.KEPT, reason=kind)
        if kind in ASKS:
            await prompt(desk, message, "kept")
    elif doubt is not None:
        await stop(desk, message, doubt)
    elif message.reason in doubts.STOPPED_EARLY and message.slack_ts is not None:
        await confirm(desk, message)
    else:
        await send_now(desk, message)


async def _let_go(desk: Desk, message: Message) -> None:
    await move(desk, message, ReplyState.HELD)
    entry = await unsettled.reply(desk.tx, leads.known(message.id))
    if entry is None:
        await send(desk, message)
    else:
        await outbox.release(desk.tx, leads.known(entry.id), now=desk.now)


async def withdraw(desk: Desk, message: Message, state: ReplyState, *, reason: str | None = None) -> None:
    """This message does not go out; its lane goes on."""
    entry = await unsettled.reply(desk.tx, leads.known(message.id))
    if entry is not None:
        await outbox.cancel(desk.tx, leads.known(entry.id), now=desk.now)
    await move(desk, message, state, reason=reason)


async def refuse(desk: Desk, message: Message, *, reason: str, detail: str | None = None) -> None:
    """It cannot go out: the mark says so, and a line in the thread says why."""
    await move(desk, message, ReplyState.REFUSED, reason=reason)
    await outcome(desk, message, "refused", reason=reason, detail=detail)


async def turn_away(desk: Desk, message: Message) -> None:
    """Its writer turned out to be one who may not write to customers: it stays inside, and the lead is not theirs."""
    await withdraw(desk, message, ReplyState.KEPT, reason=Reason.OUTSIDER)
    await prompt(desk, message, "inside")
    lead = await leads.to_change(desk.tx, message.lead_id)
    if lead is not None and lead.owner is not None and lead.owner == message.author:
        owning.release(desk.tx, lead, user=lead.owner, now=desk.now)
        await cards.update(desk.tx, leads.known(lead.id), now=desk.now)


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
    """Ask or tell the writer alone; what was written in the window has its outcome in the thread.

    What waits for their answer is asked once more, as a direct message, where they have not answered after a while.
    """
    if message.slack_ts is None:
        return
    if what in AWAITED:
        payload = {"prompt": what, "reason": message.reason}
        await outbox.enqueue(
            desk.tx,
            Kind.ASK_DIRECTLY,
            now=desk.now,
            lead_id=message.lead_id,
            message_id=message.id,
            payload=payload,
            due_at=desk.now + ASK_DIRECTLY_AFTER,
        )
    await outbox.enqueue(
        desk.tx,
        Kind.POST_PROMPT,
        now=desk.now,
        priority=MARK_FIRST,
        lead_id=message.lead_id,
        message_id=message.id,
        payload={"prompt": what},
    )
