"""Whether a reply arrived, seen in what Thumbtack tells of the conversation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import arrivals
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import of_repeatable
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.reply_rules import Desk
from bot.services import Services
from storage import leads, messages, polling
from storage.database import Transaction
from storage.models import Message, ReplyState
from storage.polling import Followed
from webhooks import echoes
from webhooks.echoes import Found
from webhooks.thumbtack import errors
from webhooks.thumbtack.facts import MessageReceived
from webhooks.thumbtack.records import MESSAGES_PER_PAGE


async def confirm_reply(at: At) -> Prepared:
    """CONFIRM_REPLY: Thumbtack told us of a reply in turn, so it arrived, whatever the answer to the call was."""
    message = await messages.to_change(at.tx, at.entry.message_id)
    if message is None or message.echoed_at is None:
        return None
    if message.state not in (ReplyState.DELIVERED, ReplyState.SENDING):  # while it is being sent, that decides
        await arrivals.arrived(at.desk, message)
    return None


async def look_for_reply(at: At) -> Prepared:
    """LOOK_FOR_REPLY {reads, until}: is a reply whose answer was lost in Thumbtack's list? After three times no: again."""
    message = await messages.to_change(at.tx, at.entry.message_id)
    lead = await leads.get(at.tx, at.entry.lead_id or 0)
    if message is None or lead is None or message.state != ReplyState.LOOKING:
        return None
    way = await polling.followed(at.tx, lead)
    if message.echoed_at is not None:
        await arrivals.arrived(at.desk, message)
    elif way is None or not way.messages:
        await arrivals.ask(at.desk, message)
    else:
        return _Look(at=at, way=way, message_id=leads.known(message.id), lead_id=leads.known(lead.id)).plan()
    return None


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One reading of the list for one reply."""

    at: At
    way: Followed
    message_id: int
    lead_id: int

    def plan(self) -> Plan:
        """Reading twice does no harm."""
        return Plan(perform=self.read, then=self.then, failed=self.failed)

    async def read(self) -> Answer:
        """The newest messages of the lead. No time is asked for: our clock may be wrong."""
        services = self.at.services
        try:
            page = await services.thumbtack.list_messages(
                services.tokens.of(self.way.connection_id),
                negotiation_id=self.way.negotiation_id,
                limit=MESSAGES_PER_PAGE,
            )
        except errors.CallError as error:
            raise of_repeatable(error, odd=Sort.REFUSED) from error
        return {"page": page}

    async def then(self, tx: Transaction, answer: Answer, now: datetime) -> None:
        """What the list says, unless somebody decided meanwhile."""
        message, lead = await messages.to_change(tx, self.message_id), await leads.get(tx, self.lead_id)
        if message is None or lead is None or message.state != ReplyState.LOOKING:
            return
        desk, page = self._desk(tx, now), answer["page"]
        told = None if message.echoed_at else await echoes.found_in(tx, lead, message, page, is_whole=_is_whole(page))
        await self._decide(desk, message, told)

    async def _decide(self, desk: Desk, message: Message, told: Found | None) -> None:
        position, reads = self.at.entry.position, self._payload["reads"] + 1
        if told is None or told.message_id is not None:
            if told is not None:
                message.thumbtack_id, message.echoed_at = told.message_id, desk.now
            await arrivals.arrived(desk, message)
        elif reads < len(arrivals.READS):
            await arrivals.look(desk, message, position=position, reads=reads, until=self._until)
        elif told.is_nowhere:
            await arrivals.send_again(desk, message, position=position)
        else:
            await arrivals.ask(desk, message)

    async def failed(self, tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        """It is waited for while the list may come; then the writer is asked."""
        if isinstance(verdict, Again) and failure.sort is Sort.LATER and verdict.at < self._until:
            return verdict
        message = await messages.to_change(tx, self.message_id)
        if message is not None and message.state == ReplyState.LOOKING:
            await arrivals.ask(self._desk(tx, now), message)
        return Settled(reason=failure.reason)

    @property
    def _payload(self) -> dict[str, Any]:
        return self.at.entry.payload

    @property
    def _until(self) -> datetime:
        return datetime.fromisoformat(self._payload["until"])

    def _desk(self, tx: Transaction, now: datetime) -> Desk:
        services: Services = self.at.services
        return Desk(tx=tx, settings=services.settings, now=now)


def _is_whole(page: list[MessageReceived]) -> bool:
    """Whether what is not in the list is not in the conversation's newest part either: all of it, or newest first."""
    times = [one.sent_at for one in page if one.sent_at is not None]
    return len(page) < MESSAGES_PER_PAGE or (len(times) == len(page) and times == sorted(times, reverse=True))
