"""What becomes of a message a person writes in a lead's thread: one state at a time, and the mark that shows it.

Listeners and the dispatcher both move messages through these functions, each in its own transaction; nobody else does.
Whoever moves one holds it first (`messages.to_change`), so that of two who decide at once one sees what the other did.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from bot import contact_data, policies, ways
from bot.blocks.leads import RepliesGo
from bot.errors import Reason
from bot.notes import Disposition, disposition
from bot.plaintext import to_plain
from bot.policies import Policy
from bot.settings import Settings
from storage import cards, leads, outbox, owning, people, states, threads
from storage.database import Transaction
from storage.models import ContactData, Lead, Message, ReplyState
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

DOUBTS = (Reason.CONTACT_DATA, Reason.SECOND_WRITER)
"""What the writer is asked about a reply that is meant for the customer, in this order; each once.

Somebody else may take the lead while the first is asked about, so whose it is comes last.
"""

STOPPED_EARLY = (Reason.TOO_LONG, Reason.CONTACT_BLOCKED)
"""Why a reply is refused before it was asked whose lead it answers."""

AWAITED = frozenset({"kept", "file", *DOUBTS})
"""Prompts that ask something."""

ASK_DIRECTLY_AFTER = timedelta(minutes=2)
"""What only its writer sees vanishes when they reload: what still waits for them then comes as a direct message."""


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
            policy = await policies.of_channel(desk.tx, desk.settings, await channel_of(desk, lead))
            return RepliesGo.QUIET if policy.quiet else RepliesGo.OUT
        case _:
            return RepliesGo.INSIDE


async def channel_of(desk: Desk, lead: Lead) -> str | None:
    """Where a lead stands, or will; None where that is not decided."""
    thread = await threads.of_lead(desk.tx, lead.id)
    return thread.channel if thread else lead.channel


async def policy_of(desk: Desk, message: Message) -> Policy:
    """What holds where a message was written; for one written in a window, where its lead stands."""
    is_in_thread = message.channel is not None or message.lead_id is None
    lead = None if is_in_thread else await leads.get(desk.tx, leads.known(message.lead_id))
    channel = message.channel if lead is None else await channel_of(desk, lead)
    return await policies.of_channel(desk.tx, desk.settings, channel)


async def reading(desk: Desk, message: Message) -> Disposition:
    """What the message, as it stands now, is by its words."""
    policy = await policy_of(desk, message)
    return disposition(message.text, message.blocks, files=message.has_files, quiet=policy.quiet)


def deadline(settings: Settings, message: Message) -> datetime:
    """When a reply is too old to be sent by itself: "on my way, 20 minutes" must not arrive two days later.

    Its age counts from when it was written in Slack, whoever was late with it, or from when a person confirmed it.
    """
    since = message.confirmed_at or min(message.stored_at, _at(message.slack_ts) or message.stored_at)
    return since + timedelta(minutes=settings.reply_max_age_minutes)


def _at(ts: str | None) -> datetime | None:
    """A Slack ts begins with the seconds since 1970 (docs.slack.dev/messaging/retrieving-messages)."""
    try:
        return datetime.fromtimestamp(float(ts or ""), UTC)
    except (ValueError, OverflowError, OSError):  # written in the window, or not a ts that Slack makes
        return None


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


async def take(desk: Desk, message: Message, lead: Lead, *, by_outsider: bool = False) -> None:
    """Decide about a message that was just stored: it waits for its hold window, stays inside, or asks.

    `by_outsider`: its writer is known to be one who may not write to customers; who else is one is found out before it
    is sent.
    """
    kind, cannot = await reading(desk, message), await why_not(desk, lead)
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
    doubt = await _doubt(desk, message, await leads.to_change(desk.tx, lead.id) or lead, past=past)
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


async def _doubt(desk: Desk, message: Message, lead: Lead, *, past: str | None) -> Reason | None:
    """What is to be asked next; of `past` and what comes before it, nothing is asked again."""
    asked = DOUBTS.index(Reason(past)) + 1 if past in DOUBTS else 0
    still = DOUBTS[asked:]
    doubt = await contact_doubt(desk, message) if Reason.CONTACT_DATA in still else None
    if doubt is None and Reason.SECOND_WRITER in still and lead.owner not in (None, message.author):
        return Reason.SECOND_WRITER
    return doubt


async def contact_doubt(desk: Desk, message: Message) -> Reason | None:
    """What becomes of a phone number or an e-mail address in a reply, by what was chosen for the channel."""
    policy, text = await policy_of(desk, message), to_plain(message.text, message.blocks, {})
    return await doubt_about(desk, text, policy=policy, team_id=message.team_id or "", user_id=message.author or "")


async def doubt_about(desk: Desk, text: str, *, policy: Policy, team_id: str, user_id: str) -> Reason | None:
    """Likewise for words of this person that are no message yet."""
    if policy.contact_data is ContactData.OFF or not contact_data.carries(text):
        return None
    if policy.contact_data is ContactData.BLOCK:
        return Reason.CONTACT_BLOCKED
    return None if await people.contact_ok(desk.tx, team_id=team_id, user_id=user_id) else Reason.CONTACT_DATA


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
    await _let_go(desk, message)


async def resend(desk: Desk, message: Message) -> None:
    """A person says so of one that was stopped, or may have arrived: what it was edited into is looked at first."""
    kind = doubt = None
    if _is_to_be_read(message):
        kind, doubt = await reading(desk, message), await contact_doubt(desk, message)
    if message.slack_ts is None:  # written in the window, or by nobody: there is nobody to be asked, and no edit
        kind, doubt = None, None if doubt is Reason.CONTACT_DATA else doubt
    if kind is Disposition.QUIET or kind in ASKS:
        await withdraw(desk, message, ReplyState.KEPT, reason=kind)
        if kind in ASKS:
            await prompt(desk, message, "kept")
    elif doubt is not None:
        await stop(desk, message, doubt)
    elif message.reason in STOPPED_EARLY and message.slack_ts is not None:
        await confirm(desk, message)
    else:
        await send_now(desk, message)


async def is_doubtful_by_edit(desk: Desk, message: Message) -> bool:
    """Whether it was edited, since somebody said yes to it, into what does not go out without being asked about."""
    read = _is_to_be_read(message) and message.slack_ts is not None
    return read and await reading(desk, message) not in (Disposition.SEND, Disposition.FILE_WITH_TEXT)


def _is_to_be_read(message: Message) -> bool:
    """Whether it was refused for what it carries, or edited since somebody said yes to it."""
    if message.reason == Reason.CONTACT_BLOCKED:
        return True
    edited_at = _at(message.changed_ts)
    return edited_at is not None and (message.confirmed_at is None or edited_at > message.confirmed_at)


async def _let_go(desk: Desk, message: Message) -> None:
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
