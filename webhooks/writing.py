"""Writes down what happened at Thumbtack: the rows, and in the same transaction what Slack is to be told."""

from dataclasses import asdict
from datetime import timedelta
from typing import assert_never

from storage import businesses, inbound, joining, leads, messages, ordering, outbox, reviews, states, talking, waiting
from storage.inbound import Inbound, Told
from storage.models import Lead, Review
from storage.outbox import Kind, slack_lane
from storage.prepared import there
from storage.talking import Talk
from webhooks import echoes, telling
from webhooks.lead_columns import columns
from webhooks.parties import UNNAMED_BUSINESS, Parties, are_known, remember
from webhooks.telling import Page
from webhooks.thumbtack import money
from webhooks.thumbtack.facts import (
    BusinessRef,
    CustomerRef,
    Fact,
    LeadPriceChanged,
    LeadReceived,
    LeadStatusChanged,
    MessageReceived,
    OtherEvent,
    ReviewReceived,
    Sender,
)

FIRST_REPLY_AFTER = echoes.AUTOMATIC_WITHIN + timedelta(seconds=15)
"""When our own automatic reply is decided about: by then Thumbtack's quick reply, if there is one, was told of."""


async def write(page: Page, fact: Fact) -> None:
    """Write one fact."""
    match fact:
        case LeadReceived():
            await lead_received(page, fact)
        case MessageReceived():
            await message_received(page, fact)
        case LeadPriceChanged():
            await price_changed(page, fact)
        case LeadStatusChanged():
            await status_changed(page, fact)
        case ReviewReceived():
            await review_received(page, fact)
        case OtherEvent():
            await other_event(page, fact)
        case _:
            assert_never(fact)


async def lead_received(page: Page, fact: LeadReceived) -> None:
    """A lead's own body: a new card, the lead a placeholder was waiting for, or something that was missing."""
    moved = await _recognise(page, fact)
    business = fact.business or (UNNAMED_BUSINESS if fact.customer else None)
    parties = await _parties(page, business, customer=fact.customer, lead_id=fact.lead_id)
    merged = await leads.merge(
        page.tx,
        environment=page.environment,
        thumbtack_id=fact.lead_id,
        values=parties.ids | columns(fact),
        of_new={"price_cents": money.cents(fact.price)},
        now=page.now,
    )
    lead = merged.lead
    await leads.change(page.tx, lead, price_cents=money.cents(lead.price_text))
    priced = await _price_in_lead(page, lead, fact)
    if (merged.arrived and not merged.is_first) or moved:
        await _judge_early(page, lead, None if merged.arrived else moved)
    if merged.arrived:
        await _asked(page, lead)
    if lead.announced_at is None:
        await telling.announce(page, lead)
    elif merged.arrived:
        await outbox.hasten(page.tx, slack_lane(leads.known(lead.id)), Kind.POST_LEAD, now=page.now)
        await telling.update_card(page, lead)
        await page.say(Kind.POST_ARRIVED, lead)
        await telling.say_rest(page, lead)
    elif merged.filled or parties.changed or priced:
        await telling.update_card(page, lead)
        await telling.say_filled(page, lead, merged.filled, priced=priced)


async def _asked(page: Page, lead: Lead) -> None:
    """Somebody waits for the first answer now; perhaps an automatic one goes out meanwhile."""
    lead = await leads.to_change(page.tx, lead.id) or lead  # people may have answered below its placeholder just now
    if lead.is_test:
        waiting.ended(lead)  # its message came first, before we knew
    elif lead.first_answer_at is None:
        await waiting.began(page.tx, lead, by_default=page.reminds, now=page.now)
    business = await businesses.get(page.tx, lead.business_id)
    if business is not None and business.first_reply and not lead.is_test:
        due_at = page.now + FIRST_REPLY_AFTER
        await outbox.enqueue(page.tx, Kind.FIRST_REPLY, now=page.now, lead_id=lead.id, due_at=due_at)


async def message_received(page: Page, fact: MessageReceived) -> None:
    """A message: into its lead's thread, which is opened where the lead has not come yet; our own is not told again."""
    found = await talking.find_to_change(page.tx, page.environment, fact.lead_id)
    if await _is_echo(page, found, fact):
        return
    talk = await _talk(page, found, fact)
    heard = await inbound.record(page.tx, _told(page, talk, fact))
    message = heard.message
    if message.lead_id != talk.id:
        return  # told of another lead before, and standing there
    if heard.is_new:
        message = await _judge_new(page, talk, message)
    if message.is_automatic:
        return
    if heard.is_new:
        await _waits(page, talk, message)
    if talk.announced_at is None:
        await telling.announce(page, there(await leads.get(page.tx, talk.id)))
    said = []
    if "text" in heard.filled:
        said.append(await page.say_news(Kind.POST_MESSAGE, talk.id, message_id=message.id))
    if "attachments" in heard.filled and message.attachments:
        said.append(await page.say_news(Kind.POST_PHOTOS, talk.id, message_id=message.id))
    if any(outbox.waits_behind(entry, now=page.now) for entry in said):
        await ordering.by_time(page.tx, slack_lane(talk.id))


async def _is_echo(page: Page, talk: Talk | None, fact: MessageReceived) -> bool:
    """Whether this is a reply that was sent from here, told again; then it arrived, which settles what was in doubt.

    The reply is held before anything about its lead is (see `bot.replies`).
    """
    lead_id = None if talk is None else talk.id
    reply = await echoes.reply_of(page.tx, lead_id, fact, environment=page.environment, now=page.now)
    if reply is None:
        return False
    if echoes.heard(reply, fact, now=page.now):
        await outbox.enqueue(
            page.tx, Kind.CONFIRM_REPLY, now=page.now, lead_id=reply.lead_id, message_id=reply.id, priority=outbox.FIRST
        )
    return True


async def _talk(page: Page, found: Talk | None, fact: MessageReceived) -> Talk:
    """The lead a message is about, where all that the message says of its parties stands (see `_named_lead`)."""
    if found is not None and are_known(found, fact):
        return found
    named = await _named_lead(page, fact)
    return there(await talking.get(page.tx, leads.known(named.id)))


async def _judge_new(page: Page, talk: Talk, message: Inbound) -> Inbound:
    """See `_judge`, which asks for the lead as a whole: what a customer writes later than the lead is judged without."""
    if message.author != Sender.BUSINESS and not echoes.may_be_automatic(talk, message):
        return message
    return await _judge(page, there(await leads.get(page.tx, talk.id)), message)


async def _judge(page: Page, lead: Lead, message: Inbound) -> Inbound:
    """Whether Thumbtack made a message, or, once the lead is there, the team answered with it in Thumbtack's app."""
    is_automatic = False
    if echoes.may_be_automatic(lead, message):
        others = await inbound.of_lead(page.tx, leads.known(lead.id))
        is_automatic = echoes.is_automatic(lead, message, others)
    message = await inbound.judged(page.tx, message, is_automatic=is_automatic)
    is_answer = message.author == Sender.BUSINESS and not message.is_automatic
    if is_answer and not lead.is_placeholder and not lead.is_test:
        said_at, before = min(message.sent_at or page.now, page.now), states.of(lead)
        is_last = not await messages.was_asked_after(page.tx, leads.known(lead.id), said_at)
        leads.answered(page.tx, lead, actor=None, via="thumbtack", now=said_at, ends_wait=is_last)
        if states.of(lead) is not before:
            await telling.update_card(page, lead)
    return message


async def _waits(page: Page, talk: Talk, message: Inbound) -> None:
    """A customer who wrote waits for us, unless they were answered after that; the card says so."""
    if message.author == Sender.BUSINESS or await talking.waits(page.tx, talk):
        return
    lead = there(await leads.to_change(page.tx, talk.id))
    if await leads.answered_since(page.tx, lead, message.sent_at or page.now):
        return
    before = states.of(lead)
    await waiting.began(page.tx, lead, by_default=page.reminds, now=page.now)
    if states.of(lead) is not before:
        await telling.update_card(page, lead)


def _told(page: Page, talk: Talk, fact: MessageReceived) -> Told:
    return Told(
        lead_id=talk.id,
        environment=page.environment,
        generation=fact.generation,
        thumbtack_id=fact.message_id,
        author=fact.sender,
        text=fact.text,
        attachments=[asdict(attachment) for attachment in fact.attachments],
        sent_at=fact.sent_at,
        stored_at=page.now,
        extra=fact.extra,
    )


async def price_changed(page: Page, fact: LeadPriceChanged) -> None:
    """A price update: the card and one line in the thread; it waits silently where the lead has not come yet."""
    lead = await _named_lead(page, fact)
    changed = await leads.charge(
        page.tx,
        lead,
        raw=fact.lead_price,
        cents=money.cents(fact.lead_price),
        state=fact.charge_state,
        source="update",
        now=page.now,
    )
    if changed and lead.announced_at is not None:
        await telling.update_card(page, lead)
        await telling.say_price(page, lead)


async def status_changed(page: Page, fact: LeadStatusChanged) -> None:
    """How a lead stands: the card and one line in the thread, where it did not stand so before."""
    lead = await leads.find_to_change(page.tx, page.environment, fact.lead_id)
    if lead is None or lead.status == fact.status or (_is_open(lead.status) and _is_open(fact.status)):
        return
    lead.status = fact.status
    if states.of(lead) in states.FINISHED:
        waiting.ended(lead)
    else:
        await waiting.again(page.tx, lead, by_default=page.reminds, now=page.now)
    if lead.announced_at is not None:
        await telling.update_card(page, lead)
        await page.say(Kind.POST_STATUS, lead, payload={"status": fact.status})


async def review_received(page: Page, fact: ReviewReceived) -> None:
    """A review: into its lead's thread, or a post of its own where it names no lead."""
    named = await _named_lead(page, fact) if fact.lead_id else None
    parties = await _parties(page, fact.business)
    merged = await reviews.merge(
        page.tx,
        Review(
            environment=page.environment,
            thumbtack_id=fact.review_id,
            lead_id=named.id if named else None,
            business_id=parties.ids.get("business_id"),
            category_id=fact.category_id,
            rating=fact.rating,
            text=fact.text,
            reviewer_name=fact.reviewer_name,
            verified=fact.verified,
            photos=[asdict(photo) for photo in fact.photos],
            created_at=fact.created_at,
            modified_at=fact.modified_at,
            received_at=page.now,
            extra=fact.extra,
        ),
    )
    if not merged.changed:
        return
    review = merged.review
    lead = None if review.lead_id is None else await leads.get(page.tx, review.lead_id)
    if lead is not None and lead.announced_at is None:
        await telling.announce(page, lead)
    await page.say_of_review(Kind.POST_REVIEW, review, lead)
    if "photos" in merged.changed and review.photos:
        await page.say_of_review(Kind.POST_PHOTOS, review, lead)


async def other_event(page: Page, fact: OtherEvent) -> None:
    """Something that we do not know: one honest line where it names a lead that stands in Slack, else nothing."""
    lead = None if fact.lead_id is None else await leads.find(page.tx, page.environment, fact.lead_id)
    if lead is not None and lead.announced_at is not None:
        await page.say(Kind.POST_EVENT, lead, payload={"event_type": fact.event_type})


def _is_open(status: str | None) -> bool:
    """v4 pushes "Open" and answers "active"; a lead of which it says nothing is open."""
    return status is None or status.casefold() in {"open", "active"}


async def _recognise(page: Page, fact: LeadReceived) -> frozenset[int]:
    """Where the other API told of the same request to the same business, both ids name one lead from now on.

    There may have been two until now; returns the messages that were the other's.
    """
    if fact.business is None or fact.request_id is None:
        return frozenset()
    business, _ = await businesses.ensure(
        page.tx, environment=page.environment, thumbtack_id=fact.business.thumbtack_id, name=None, now=page.now
    )
    return await joining.recognise(
        page.tx,
        environment=page.environment,
        thumbtack_id=fact.lead_id,
        generation=fact.generation,
        business_id=leads.known(business.id),
        request_id=fact.request_id,
        now=page.now,
    )


async def _named_lead(page: Page, fact: MessageReceived | LeadPriceChanged | ReviewReceived) -> Lead:
    """The lead something else is about; a placeholder where it was not heard of."""
    business = None if isinstance(fact, LeadPriceChanged) else fact.business
    customer = fact.customer if isinstance(fact, MessageReceived) else None
    parties = await _parties(page, business, customer=customer, lead_id=fact.lead_id)
    values = {**parties.ids, "generation": fact.generation}
    if isinstance(fact, LeadPriceChanged):
        values["extra"] = fact.extra
    named = await leads.placeholder(
        page.tx, environment=page.environment, thumbtack_id=fact.lead_id or "", values=values, now=page.now
    )
    if named.filled and named.lead.announced_at is not None:  # the card may not have known whom a reply goes to
        await telling.update_card(page, named.lead)
    return named.lead


async def _parties(
    page: Page,
    business: BusinessRef | None,
    *,
    customer: CustomerRef | None = None,
    lead_id: str | None = None,
) -> Parties:
    return await remember(
        page.tx, business, environment=page.environment, now=page.now, customer=customer, lead_id=lead_id
    )


async def _price_in_lead(page: Page, lead: Lead, fact: LeadReceived) -> bool:
    """What a lead's own body says about its cost fills what no update has told yet; True where it told something."""
    told = (fact.lead_price, fact.charge_state)
    if told == (None, None) or lead.charge_state is not None or lead.charge_text not in (None, fact.lead_price):
        return False
    return await leads.charge(
        page.tx,
        lead,
        raw=fact.lead_price,
        cents=money.cents(fact.lead_price),
        state=fact.charge_state,
        source="lead",
        now=page.now,
    )


async def _judge_early(page: Page, lead: Lead, among: frozenset[int] | None) -> None:
    """What was said before the lead came can be judged now; what was not posted yet, and Thumbtack made, is not."""
    for message in await inbound.of_lead(page.tx, leads.known(lead.id)):
        if among is None or message.id in among:
            await _judge(page, lead, message)
