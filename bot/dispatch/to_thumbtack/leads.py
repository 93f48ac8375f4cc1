"""Asking v4 how leads stand: one that is not known yet, and what v4 never pushes.

What it answers goes the way of what it pushes (`webhooks.writing`), so that the same is never told twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.dispatch.plans import Answer, At, NotYet, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure, of_repeatable
from bot.dispatch.verdicts import Again, Verdict
from bot.errors import Reason
from bot.failures import Failure, Sort
from bot.services import Services
from storage import leads, polling
from storage.database import Transaction
from storage.models import Environment, Lead
from storage.models import Generation as Api
from storage.polling import Followed
from webhooks import echoes
from webhooks.telling import Page
from webhooks.thumbtack import errors
from webhooks.thumbtack.facts import (
    Fact,
    Generation,
    LeadPriceChanged,
    LeadReceived,
    LeadStatusChanged,
    MessageReceived,
)
from webhooks.thumbtack.records import MESSAGES_PER_PAGE
from webhooks.writing import write

PATIENCE = timedelta(hours=1)
"""How long a lead that is not known is asked for; then it is among those that are asked about now and then."""

MOST_PAGES = 5
"""How many pages of messages are read at most."""

LAST = datetime.max.replace(tzinfo=UTC)


class _NotTold(ThumbtackFailure):
    """Thumbtack did not say over a connection how a lead stands; asking again does no harm."""

    def __init__(self, error: errors.CallError, connection_id: int) -> None:
        failure = of_repeatable(error)
        super().__init__(failure.sort, failure.reason, error)
        self.connection_id = connection_id


async def fetch_lead(at: At) -> Prepared:
    """FETCH_LEAD: the lead that a message or a review named before it came; nothing where it has come meanwhile."""
    lead = await leads.get(at.tx, at.entry.lead_id or 0)
    negotiation_id = None if lead is None else await leads.id_in(at.tx, lead, Api.V4)
    if lead is None or negotiation_id is None or not lead.is_placeholder:
        return None
    asked = await polling.readers(at.tx, lead)
    if not asked:
        return None
    paused_until = await polling.paused_until(at.tx, now=at.now)
    if paused_until is not None:
        return NotYet(reason=Reason.RATE_LIMITED, pause=paused_until - at.now)
    services, lead_id = at.services, leads.known(lead.id)
    until = at.entry.created_at + PATIENCE

    async def perform() -> Answer:
        return {"fact": await _found(services, asked, negotiation_id)}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        waiting = await leads.get(tx, lead_id)
        if waiting is not None:
            await write(_page(tx, services, waiting, now), answer["fact"])

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        await _heed(tx, services, failure, verdict, now)
        return verdict if isinstance(verdict, Again) and now < until else Settled(reason=failure.reason)

    return Plan(perform=perform, then=then, failed=failed)


async def sync_lead(at: At) -> Prepared:
    """SYNC_LEAD: what became of a lead, and what a lost webhook withheld of its conversation."""
    lead = await leads.get(at.tx, at.entry.lead_id or 0)
    way = None if lead is None else await polling.followed(at.tx, lead)
    if lead is None or way is None:
        return None
    paused_until = await polling.paused_until(at.tx, now=at.now)
    if paused_until is not None:
        polling.put_off(lead, paused_until)
        return None
    services, lead_id, asked_at = at.services, leads.known(lead.id), at.now
    known_until = lead.polled_at or lead.created_at or lead.received_at

    async def perform() -> Answer:
        return await _asked(services, way, since=known_until)

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        told = await _held(tx, lead_id, answer["messages"], now)
        if told is None:
            return
        for fact in _news(told, answer):
            await write(_page(tx, services, told, now), fact)
        told.polled_at = asked_at

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        until = await _heed(tx, services, failure, verdict, now)
        told = await leads.get(tx, lead_id)
        if told is not None and failure.sort is not Sort.REFUSED:
            polling.put_off(told, until or now + polling.FIRST_AFTER)
        return Settled(reason=failure.reason)  # the next turn is another chance, within the same budget

    return Plan(perform=perform, then=then, failed=failed)


async def _held(tx: Transaction, lead_id: int, told: Sequence[MessageReceived], now: datetime) -> Lead | None:
    """The lead, of which nothing else is taken in meanwhile, and which nobody works just now.

    Its replies are held before it is (see `bot.replies`), and it before what is to be said of it.
    """
    lead = await leads.get(tx, lead_id)
    if lead is None:
        return None
    for message in told:
        await echoes.reply_of(tx, lead.id, message, environment=Environment(lead.environment), now=now)
    held = await leads.hold(tx, lead)
    return None if held is None else await leads.to_change(tx, held.id)


async def _heed(
    tx: Transaction, services: Services, failure: Failure, verdict: Verdict, now: datetime
) -> datetime | None:
    """What a failure means for others: a pause for all leads (until when), or a connection that is broken."""
    if not isinstance(failure, _NotTold):
        return None
    if isinstance(failure.error, errors.ReconnectRequired):
        await services.tokens.refused(tx, failure.connection_id)
    if not isinstance(failure.error, errors.RateLimited):
        return None
    until = verdict.at if failure.retry_after and isinstance(verdict, Again) else now + polling.PAUSE
    await polling.pause(tx, until=until)
    return until


async def _found(services: Services, connection_ids: Sequence[int], negotiation_id: str) -> LeadReceived:
    """The lead, over the first connection that knows it."""
    *others, last = connection_ids
    for connection_id in others:
        try:
            return await _negotiation(services, connection_id, negotiation_id)
        except _NotTold as told:
            if told.sort is not Sort.REFUSED:
                raise
    return await _negotiation(services, last, negotiation_id)


async def _negotiation(services: Services, connection_id: int, negotiation_id: str) -> LeadReceived:
    tokens = services.tokens.of(connection_id)
    try:
        fact = await services.thumbtack.get_negotiation(tokens, negotiation_id=negotiation_id)
    except errors.CallError as error:
        raise _NotTold(error, connection_id) from error
    if fact.lead_id != negotiation_id:
        raise _NotTold(errors.UnexpectedResponse(), connection_id)
    return fact


async def _asked(services: Services, way: Followed, *, since: datetime | None) -> Answer:
    """What may be read: how the lead stands, and the messages since then, the oldest first."""
    answer: dict[str, Any] = {"lead": None, "messages": []}
    if way.leads:
        answer["lead"] = await _negotiation(services, way.connection_id, way.negotiation_id)
    if way.messages:
        after = None if since is None else since - polling.OVERLAP
        try:
            answer["messages"] = await _messages(services, way, after=after)
        except errors.CallError as error:
            raise _NotTold(error, way.connection_id) from error
    return answer


async def _messages(services: Services, way: Followed, *, after: datetime | None) -> list[MessageReceived]:
    """The messages since `after`. Which end of a long list comes first is not published: it is read from either."""
    tokens, before = services.tokens.of(way.connection_id), None
    found: dict[str, MessageReceived] = {}
    for _ in range(MOST_PAGES):
        page = await services.thumbtack.list_messages(
            tokens, negotiation_id=way.negotiation_id, limit=MESSAGES_PER_PAGE, sent_before=before, sent_after=after
        )
        found |= {one.message_id: replace(one, lead_id=way.negotiation_id) for one in page}
        first, last = (page[0].sent_at, page[-1].sent_at) if page else (None, None)
        if len(page) < MESSAGES_PER_PAGE or first is None or last is None:
            break
        before, after = (last, after) if last < first else (before, last)
    return sorted(found.values(), key=lambda one: one.sent_at or LAST)


def _news(lead: Lead, answer: Answer) -> list[Fact]:
    """What an answer says, in the order in which it is to be told. What it does not name stays as it is."""
    told: LeadReceived | None = answer["lead"]
    news: list[Fact] = []
    if told is not None and not lead.is_placeholder:
        if told.status is not None:
            news.append(LeadStatusChanged(generation=Generation.V4, lead_id=told.lead_id, status=told.status))
        if told.charge_state is not None:
            price = told.lead_price or lead.charge_text
            changed = LeadPriceChanged(
                generation=Generation.V4, lead_id=told.lead_id, lead_price=price, charge_state=told.charge_state
            )
            news.append(changed)
    return [*news, *([told] if told else []), *answer["messages"]]


def _page(tx: Transaction, services: Services, lead: Lead, now: datetime) -> Page:
    settings = services.settings
    return Page(
        tx=tx,
        environment=Environment(lead.environment),
        now=now,
        default_channel=settings.slack_leads_channel,
        reminds=bool(settings.remind_after_minutes),
    )
