"""What is said to customers: the team's replies, each at most once, and never an old one by itself."""

from dataclasses import dataclass
from datetime import datetime

from bot import access, arrivals, doubts, edits, replies, reply_rules, signature, ways
from bot.dispatch.plans import Answer, At, NotYet, Parked, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack import first_reply
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure, detail_of
from bot.dispatch.verdicts import Again, Verdict
from bot.errors import Reason, code_of
from bot.failures import Failure, Sort
from bot.notes import LONGEST, Disposition, without_send
from bot.plaintext import ids_to_name, to_plain
from bot.replies import GOING
from bot.reply_rules import Desk
from bot.services import Services
from bot.ways import Api, Way
from storage import businesses, leads, messages, outbox
from storage.database import StorageError, Transaction
from storage.entries import Entry
from storage.models import Environment, Lead, Message, ReplyState
from webhooks.thumbtack import errors

NOT_WRITTEN = "not_written"
"""What is about to be sent could not be written down, so nothing was sent."""


async def send_reply(at: At) -> Prepared:
    """SEND_REPLY: what a person wrote, as the message stands now."""
    message = await messages.to_change(at.tx, at.entry.message_id)
    lead = await leads.get(at.tx, at.entry.lead_id or 0)
    if message is None or lead is None:
        return None
    if message.echoed_at is not None and message.state != ReplyState.DELIVERED:
        await arrivals.arrived(at.desk, message)
    elif at.maybe_done and message.sent_at is not None:
        await arrivals.lost(at.desk, message, position=at.entry.position, tried=message.text or "")
    elif await _is_to_go(at, message) and not await first_reply.stood_down(at, message, lead):
        return await _send(at, message, lead)
    return None


async def _is_to_go(at: At, message: Message) -> bool:
    """Whether it waits; or was claimed by a process that ended before it handed it over: then an edit counts still."""
    if message.state != ReplyState.SENDING:
        return message.state in GOING
    tried = "" if message.changed_ts else message.text or ""
    return not await edits.stopped(at.desk, message, tried)


async def _send(at: At, message: Message, lead: Lead) -> Prepared:
    settings, business = at.services.settings, await businesses.get(at.tx, lead.business_id)
    way = await ways.find(at.tx, settings, lead, now=at.now)
    if isinstance(way, Reason) or business is None:
        await replies.refuse(at.desk, message, reason=way if isinstance(way, Reason) else Reason.NO_BUSINESS)
    elif message.view_id is None and await reply_rules.reading(at.desk, message) is Disposition.NOTE:
        await replies.move(
            at.desk, message, ReplyState.KEPT, reason=Disposition.NOTE
        )  # whatever led here: never a note
    elif await doubts.contact_doubt(at.desk, message) is Reason.CONTACT_BLOCKED:
        await replies.refuse(at.desk, message, reason=Reason.CONTACT_BLOCKED)  # likewise
    elif at.now >= reply_rules.deadline(settings, message):
        return await _overdue(at, message)
    elif way.waits:
        await replies.move(at.desk, message, ReplyState.WAITING, reason=Reason.RECONNECT)
        return NotYet(reason=Reason.RECONNECT, pause=reply_rules.deadline(settings, message) - at.now)
    else:
        message.state, message.sent_at = ReplyState.SENDING, None  # until it is handed over
        words = await _words(at, message)
        return _plan(at, message, words, route=Route(way=way, business_id=business.thumbtack_id))
    return None


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where a reply goes: the API, and the business on whose behalf, by Thumbtack's id."""

    way: Way
    business_id: str

    async def send(self, services: Services, *, text: str) -> str | None:
        """Send it once; Thumbtack's id of the message where its answer has one. Raises CallError."""
        client, tokens = services.thumbtack, services.tokens.of(self.way.connection_id or 0)
        lead_id = self.way.lead_id
        match self.way.api:
            case Api.V1:
                await client.send_message_v1(business_id=self.business_id, lead_id=lead_id, text=text)
            case Api.V2:
                await client.send_message_v2(tokens, business_id=self.business_id, lead_id=lead_id, text=text)
            case Api.V4:
                return await client.send_message_v4(tokens, negotiation_id=lead_id, text=text)
        return None


async def _overdue(at: At, message: Message) -> Parked:
    """Ask the writer; what they or others wrote later waits for the answer."""
    minutes, held_by = at.services.settings.reply_max_age_minutes, message.reason
    await replies.move(at.desk, message, ReplyState.OVERDUE, reason=Reason.OVERDUE)
    await replies.outcome(at.desk, message, "overdue", minutes=minutes, held_by=held_by)
    return Parked(reason=Reason.OVERDUE)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the customer is to read: a message as it stood in Slack, and whose name goes below it.

    `is_plain`: it was written in a window, and goes out exactly so. `signer`: a Slack user id; None for nobody.
    """

    text: str
    blocks: list[dict[str, object]]
    is_plain: bool
    signer: str | None

    async def said(self, services: Services) -> str:
        """As it goes out. Raises Failure where Slack has to tell a name and cannot be asked just now."""
        said = self.text if self.is_plain else await _to_plain(services, self.text, self.blocks)
        if not said or len(said) > LONGEST:
            raise ThumbtackFailure(Sort.REFUSED, Reason.TOO_LONG if said else Reason.EMPTY)
        name = None if self.signer is None else await services.slack.first_name(self.signer)
        return signature.sign(said, name, longest=LONGEST)


async def _words(at: At, message: Message) -> Words:
    is_signed = not message.is_automatic and (await reply_rules.policy_of(at.desk, message)).signature
    return Words(
        text=message.text or "",
        blocks=message.blocks,
        is_plain=message.view_id is not None,
        signer=message.author if is_signed else None,
    )


def _plan(at: At, message: Message, words: Words, *, route: Route) -> Plan:
    services, text = at.services, words.text
    message_id, team_id, writer = leads.known(message.id), message.team_id or "", message.author

    async def perform() -> Answer:
        await _may_write(services, team_id, writer)
        said = await words.said(services)
        await _handed_over(services, at.claim, message_id, said)
        try:
            told_id = await route.send(services, text=said)
        except errors.CallError as error:
            raise ThumbtackFailure(_sort(error, route.way), code_of(error), error) from error
        except Exception as error:
            raise ThumbtackFailure(
                Sort.UNKNOWN, Reason.OUTCOME_UNKNOWN
            ) from error  # whatever broke, it may have been sent
        return {"text": said, "id": told_id}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        sent = await messages.to_change(tx, message_id)
        if sent is None:
            return
        desk = Desk(tx=tx, settings=services.settings, now=now)
        sent.sent_text, sent.sent_at = answer["text"], now
        await _name(tx, sent, answer["id"])
        await replies.move(desk, sent, ReplyState.DELIVERED)
        await edits.went_out(desk, sent, text)
        await replies.answered(desk, sent)

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        tried = await messages.to_change(tx, message_id)
        if failure.reason == Reason.RECONNECT and route.way.connection_id is not None:
            await services.tokens.refused(tx, route.way.connection_id)
        if tried is None:
            return Settled(reason=failure.reason)
        desk = Desk(tx=tx, settings=services.settings, now=now)
        return await _failed(desk, tried, failure, verdict, Tried(text=text, position=at.entry.position))

    return Plan(perform=perform, then=then, failed=failed)


async def _may_write(services: Services, team_id: str, writer: str | None) -> None:
    """Raises Failure where the writer may not write to customers, or where Slack does not say who they are just now."""
    if writer is None:  # nobody: it is automatic
        return
    match await access.may_work(services, team_id=team_id, user_id=writer):
        case False:
            raise Failure(Sort.REFUSED, Reason.OUTSIDER)
        case None:
            raise Failure(Sort.LATER, Reason.SLACK_UNAVAILABLE)


async def _handed_over(services: Services, claim: Entry, message_id: int, text: str) -> None:
    """Remember what is about to be sent: Thumbtack may tell of it before its answer is here, or after that was lost.

    Whoever comes too late for their own call, because another took it for lost or it has arrived, does not make it.
    """
    try:
        async with services.database.transaction() as tx:
            message = await messages.to_change(tx, message_id)
            is_ours = message is not None and await outbox.is_ours(tx, claim)
            if message is None or not is_ours or message.state != ReplyState.SENDING or message.echoed_at is not None:
                raise Failure(Sort.LATER, Reason.ALREADY_DECIDED)
            message.sent_text, message.sent_at = text, services.clock()
    except (StorageError, OSError) as error:
        raise Failure(Sort.LATER, NOT_WRITTEN) from error


async def _name(tx: Transaction, sent: Message, thumbtack_id: str | None) -> None:
    """Thumbtack's id of what was sent, unless it is known from elsewhere."""
    if thumbtack_id is None or sent.thumbtack_id is not None:
        return
    if await messages.by_thumbtack_id(tx, Environment(sent.environment), thumbtack_id) is None:
        sent.thumbtack_id = thumbtack_id


async def _to_plain(services: Services, text: str, blocks: list[dict[str, object]]) -> str:
    names = await services.slack.names(ids_to_name(text, blocks))
    return without_send(to_plain(text, blocks, names))


def _sort(error: errors.CallError, way: Way) -> Sort:
    if isinstance(error, errors.TryLater):
        return Sort.LATER
    if isinstance(error, errors.ReconnectRequired) and way.connection_id is not None:
        return Sort.LATER  # it waits until the business is connected again, or until its writer must be asked
    if isinstance(error, errors.OutcomeUnknown | errors.UnexpectedResponse):
        return Sort.UNKNOWN
    return Sort.REFUSED


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What was tried: the text as it stood in Slack, and its place in the lane."""

    text: str
    position: str


async def _failed(desk: Desk, message: Message, failure: Failure, verdict: Verdict, tried: Tried) -> Verdict | Settled:
    if message.echoed_at is not None:  # whatever the answer was: Thumbtack told us of it
        await arrivals.arrived(desk, message)
        return Settled(reason=failure.reason)
    if failure.reason == Reason.OUTSIDER:
        await replies.turn_away(desk, message)
        if message.deleted_at is not None:
            await edits.cancel(desk, message)
        return Settled(reason=failure.reason)
    told = failure if isinstance(failure, ThumbtackFailure) else None
    if told is None and failure.sort is not Sort.REFUSED:  # before the call: nothing was sent
        return await _later(desk, message, failure, verdict, tried=tried.text)
    message.trace_id = told.error.trace_id if told and told.error else None
    match failure.sort:
        case Sort.UNKNOWN:
            await arrivals.lost(desk, message, position=tried.position, tried=tried.text)
            return Settled(reason=failure.reason)
        case Sort.REFUSED:
            if not await edits.stopped(desk, message, tried.text):
                await replies.refuse(desk, message, reason=failure.reason, detail=detail_of(failure))
            return Settled(reason=failure.reason)
        case Sort.LATER | Sort.HELD:
            return await _later(desk, message, failure, verdict, tried=tried.text)


async def _later(desk: Desk, message: Message, failure: Failure, verdict: Verdict, *, tried: str) -> Verdict | Settled:
    """Wait as long as was asked for, but no longer than until its writer must be asked."""
    if await edits.stopped(desk, message, tried):
        return Settled(reason=failure.reason)
    await replies.move(desk, message, ReplyState.WAITING, reason=failure.reason)
    again_at = verdict.at if isinstance(verdict, Again) else desk.now
    return Again(at=min(again_at, reply_rules.deadline(desk.settings, message)), reason=failure.reason)
