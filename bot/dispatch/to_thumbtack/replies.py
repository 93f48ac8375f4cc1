"""What is said to customers: the team's replies, each at most once, and never an old one by itself."""

from dataclasses import dataclass
from datetime import datetime

from bot import edits, replies, ways
from bot.dispatch.plans import Answer, At, NotYet, Parked, Plan, Prepared, Settled
from bot.dispatch.verdicts import Again, Verdict
from bot.errors import Reason, code_of
from bot.failures import Failure, Sort
from bot.notes import LONGEST, Disposition, without_send
from bot.plaintext import ids_to_name, to_plain
from bot.replies import GOING, Desk
from bot.services import Services
from bot.ways import Api, Way
from storage import businesses, leads, messages
from storage.database import Transaction
from storage.models import Lead, Message, ReplyState
from webhooks.thumbtack import errors


class SendFailure(Failure):
    """A reply that Thumbtack did not take, with the API's own words about it."""

    def __init__(self, sort: Sort, reason: str, error: errors.CallError | None = None) -> None:
        """`detail` and `trace_id` are for the person who wrote the reply, not for the log."""
        super().__init__(sort, reason, retry_after=getattr(error, "retry_after", None))
        self.detail: str | None = getattr(error, "detail", None)
        self.trace_id: str | None = getattr(error, "trace_id", None)


async def send_reply(at: At) -> Prepared:
    """SEND_REPLY: what a person wrote, as the message stands now."""
    message = await messages.to_change(at.tx, at.entry.message_id)
    lead = await leads.get(at.tx, at.entry.lead_id or 0)
    if message is None or lead is None:
        return None
    if at.maybe_done:
        await _unknown(at.desk, message, tried=message.text or "")
    elif message.state in GOING:
        return await _send(at, message, lead)
    return None


async def _send(at: At, message: Message, lead: Lead) -> Prepared:
    settings, business = at.services.settings, await businesses.get(at.tx, lead.business_id)
    way = await ways.find(at.tx, settings, lead, now=at.now)
    if isinstance(way, Reason) or business is None:
        await replies.refuse(at.desk, message, reason=way if isinstance(way, Reason) else Reason.NO_BUSINESS)
    elif message.view_id is None and replies.reading(settings, message) is Disposition.NOTE:
        await replies.move(
            at.desk, message, ReplyState.KEPT, reason=Disposition.NOTE
        )  # whatever led here: never a note
    elif at.now >= replies.deadline(settings, message):
        return await _overdue(at, message)
    elif way.waits:
        await replies.move(at.desk, message, ReplyState.WAITING, reason=Reason.RECONNECT)
        return NotYet(reason=Reason.RECONNECT, pause=replies.deadline(settings, message) - at.now)
    else:
        message.state = ReplyState.SENDING
        return _plan(at, message, lead, Route(way=way, business_id=business.thumbtack_id))
    return None


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where a reply goes: the API, and the business on whose behalf, by Thumbtack's id."""

    way: Way
    business_id: str

    async def send(self, services: Services, *, lead_id: str, text: str) -> None:
        """Send it once; raises CallError. `lead_id` is Thumbtack's."""
        client, tokens = services.thumbtack, services.tokens.of(self.way.connection_id or 0)
        match self.way.api:
            case Api.V1:
                await client.send_message_v1(business_id=self.business_id, lead_id=lead_id, text=text)
            case Api.V2:
                await client.send_message_v2(tokens, business_id=self.business_id, lead_id=lead_id, text=text)
            case Api.V4:
                await client.send_message_v4(tokens, negotiation_id=lead_id, text=text)


async def _overdue(at: At, message: Message) -> Parked:
    """Ask the writer; what they or others wrote later waits for the answer."""
    minutes, held_by = at.services.settings.reply_max_age_minutes, message.reason
    await replies.move(at.desk, message, ReplyState.OVERDUE, reason=Reason.OVERDUE)
    await replies.outcome(at.desk, message, "overdue", minutes=minutes, held_by=held_by)
    return Parked(reason=Reason.OVERDUE)


def _plan(at: At, message: Message, lead: Lead, route: Route) -> Plan:
    services, thumbtack_id = at.services, lead.thumbtack_id
    message_id, lead_id = leads.known(message.id), leads.known(lead.id)
    text, blocks, is_plain = message.text or "", message.blocks, message.view_id is not None

    async def perform() -> Answer:
        said = text if is_plain else await _to_plain(services, text, blocks)
        if not said or len(said) > LONGEST:
            raise SendFailure(Sort.REFUSED, Reason.TOO_LONG if said else Reason.EMPTY)
        try:
            await route.send(services, lead_id=thumbtack_id, text=said)
        except errors.CallError as error:
            raise SendFailure(_sort(error, route.way), code_of(error), error) from error
        except Exception as error:
            raise SendFailure(Sort.UNKNOWN, Reason.OUTCOME_UNKNOWN) from error  # whatever broke, it may have been sent
        return {"text": said}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        sent, answered = await messages.to_change(tx, message_id), await leads.get(tx, lead_id)
        if sent is None or answered is None:
            return
        desk = Desk(tx=tx, settings=services.settings, now=now)
        sent.sent_text, sent.sent_at = answer["text"], now
        await replies.move(desk, sent, ReplyState.DELIVERED)
        await edits.went_out(desk, sent, text)
        leads.answered(tx, answered, actor=sent.author, via="slack", now=now)

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        tried = await messages.to_change(tx, message_id)
        if tried is None:
            return Settled(reason=failure.reason)
        desk = Desk(tx=tx, settings=services.settings, now=now)
        if failure.reason == Reason.RECONNECT and route.way.connection_id is not None:
            await services.tokens.refused(tx, route.way.connection_id)
        return await _failed(desk, tried, failure, verdict, tried=text)

    return Plan(perform=perform, then=then, failed=failed)


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


async def _failed(desk: Desk, message: Message, failure: Failure, verdict: Verdict, *, tried: str) -> Verdict | Settled:
    told = failure if isinstance(failure, SendFailure) else None
    if told is None and failure.sort is not Sort.REFUSED:  # before the call: a name could not be looked up in Slack
        return await _later(desk, message, failure, verdict, tried=tried)
    message.trace_id = told.trace_id if told else None
    match failure.sort:
        case Sort.UNKNOWN:
            await _unknown(desk, message, tried=tried)
            return Settled(reason=failure.reason)
        case Sort.REFUSED:
            if not await edits.stopped(desk, message, tried):
                await replies.refuse(desk, message, reason=failure.reason, detail=told.detail if told else None)
            return Settled(reason=failure.reason)
        case Sort.LATER | Sort.HELD:
            return await _later(desk, message, failure, verdict, tried=tried)


async def _later(desk: Desk, message: Message, failure: Failure, verdict: Verdict, *, tried: str) -> Verdict | Settled:
    """Wait as long as was asked for, but no longer than until its writer must be asked."""
    if await edits.stopped(desk, message, tried):
        return Settled(reason=failure.reason)
    await replies.move(desk, message, ReplyState.WAITING, reason=failure.reason)
    again_at = verdict.at if isinstance(verdict, Again) else desk.now
    return Again(at=min(again_at, replies.deadline(desk.settings, message)), reason=failure.reason)


async def _unknown(desk: Desk, message: Message, *, tried: str) -> None:
    """It may have arrived: said plainly, and never sent again unless a person says so."""
    await replies.move(desk, message, ReplyState.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN)
    await replies.outcome(desk, message, "unknown")
    await edits.went_out(desk, message, tried)
