"""Writes down what happened at Thumbtack: the rows, and in the same transaction what Slack is to be told."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, assert_never

from storage import businesses, leads, messages, outbox, reviews, threads
from storage.database import Transaction
from storage.models import Direction, Environment, Lead, Message, Review
from storage.outbox import Kind, slack_lane
from webhooks.thumbtack import money
from webhooks.thumbtack.facts import (
    BusinessRef,
    CustomerRef,
    Fact,
    LeadPriceChanged,
    LeadReceived,
    MessageReceived,
    ReviewReceived,
)

NEW_LEAD_FIRST = 0

UNNAMED_BUSINESS = BusinessRef(thumbtack_id="")
"""Keeps the customer of a lead that names no business. The lead itself is of no business then: nothing can be sent."""

ON_CARD_OR_BELOW = frozenset(
    {
        "category", "title", "description", "details", "schedule", "address1", "address2", "city", "state", "zip_code",
        "travel_preferences", "price_text",
    }
)  # fmt: skip
"""Columns whose text may be too long for the card; what does not fit follows in the thread."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the functions below write on: one transaction, for one environment."""

    tx: Transaction
    environment: Environment
    now: datetime
    default_channel: str | None

    async def say(self, kind: Kind, lead: Lead, **entry: Any) -> None:
        """Let something be said about a lead, behind whatever was to be said about it before."""
        lead_id = leads.known(lead.id)
        await outbox.enqueue(
            self.tx,
            kind,
            now=self.now,
            lane=slack_lane(lead_id),
            channel=await self._channel(lead),
            lead_id=lead_id,
            **entry,
        )

    async def say_of_review(self, kind: Kind, review: Review, lead: Lead | None) -> None:
        """Let something be said about a review: in its lead's thread, or where it stands by itself."""
        payload = {"review_id": review.id}
        if lead is not None:
            await self.say(kind, lead, payload=payload)
            return
        lane = f"slack:review:{review.id}"
        await outbox.enqueue(self.tx, kind, now=self.now, payload=payload, lane=lane, channel=self.default_channel)

    async def _channel(self, lead: Lead) -> str | None:
        """Where the lead's thread is, or will be."""
        thread = await threads.of_lead(self.tx, lead.id) if lead.posted_at else None
        return thread.channel if thread else self.default_channel


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Our ids of a business and its customer, as columns of a lead; `changed`: something that a card shows of them."""

    ids: dict[str, Any]
    changed: bool = False


async def write(page: Page, fact: Fact) -> None:
    """Write one fact."""
    match fact:
        case LeadReceived():
            await lead_received(page, fact)
        case MessageReceived():
            await message_received(page, fact)
        case LeadPriceChanged():
            await price_changed(page, fact)
        case ReviewReceived():
            await review_received(page, fact)
        case _:
            assert_never(fact)


async def lead_received(page: Page, fact: LeadReceived) -> None:
    """A lead's own body: a new card, the lead a placeholder was waiting for, or something that was missing."""
    parties = await _parties(page, fact.business or (UNNAMED_BUSINESS if fact.customer else None), fact.customer)
    merged = await leads.merge(
        page.tx,
        environment=page.environment,
        thumbtack_id=fact.lead_id,
        values=parties.ids | _columns(fact),
        now=page.now,
    )
    lead = merged.lead
    lead.price_cents = money.cents(lead.price_text)
    priced = await _price_in_lead(page, lead, fact)
    if lead.announced_at is None:
        await _announce(page, lead)
    elif merged.arrived:
        await _update_card(page, lead)
        await page.say(Kind.POST_ARRIVED, lead)
        await _say_rest(page, lead)
    elif merged.filled or parties.changed or priced:
        await _update_card(page, lead)
        await _say_filled(page, lead, merged.filled, priced=priced)


async def message_received(page: Page, fact: MessageReceived) -> None:
    """A message: into its lead's thread, which is opened where the lead has not come yet."""
    lead = await _named_lead(page, fact)
    heard = await messages.record_inbound(
        page.tx,
        Message(
            lead_id=lead.id,
            environment=page.environment,
            generation=fact.generation,
            direction=Direction.INBOUND,
            thumbtack_id=fact.message_id,
            author=fact.sender,
            text=fact.text,
            attachments=[asdict(attachment) for attachment in fact.attachments],
            sent_at=fact.sent_at,
            stored_at=page.now,
            extra=fact.extra,
        ),
    )
    if heard.message.lead_id != lead.id:
        return  # told of another lead before, and standing there
    if lead.announced_at is None:
        await _announce(page, lead)
    if "text" in heard.filled:
        await page.say(Kind.POST_MESSAGE, lead, message_id=heard.message.id)
    if "attachments" in heard.filled and heard.message.attachments:
        await page.say(Kind.POST_PHOTOS, lead, message_id=heard.message.id)


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
        await _update_card(page, lead)
        await _say_price(page, lead)


async def review_received(page: Page, fact: ReviewReceived) -> None:
    """A review: into its lead's thread, or a post of its own where it names no lead."""
    named = await _named_lead(page, fact) if fact.lead_id else None
    parties = await _parties(page, fact.business, None)
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
        await _announce(page, lead)
    await page.say_of_review(Kind.POST_REVIEW, review, lead)
    if "photos" in merged.changed and review.photos:
        await page.say_of_review(Kind.POST_PHOTOS, review, lead)


async def _named_lead(page: Page, fact: MessageReceived | LeadPriceChanged | ReviewReceived) -> Lead:
    """The lead something else is about; a placeholder where it was not heard of."""
    business = None if isinstance(fact, LeadPriceChanged) else fact.business
    parties = await _parties(page, business, fact.customer if isinstance(fact, MessageReceived) else None)
    values = {**parties.ids, "generation": fact.generation}
    if isinstance(fact, LeadPriceChanged):
        values["extra"] = fact.extra
    named = await leads.placeholder(
        page.tx, environment=page.environment, thumbtack_id=fact.lead_id or "", values=values, now=page.now
    )
    if named.filled and named.lead.announced_at is not None:  # the card may not have known whom a reply goes to
        await _update_card(page, named.lead)
    return named.lead


async def _parties(page: Page, business: BusinessRef | None, customer: CustomerRef | None) -> Parties:
    """Remember the business and its customer, as far as they were named."""
    if business is None:
        return Parties(ids={})
    ours, renamed = await businesses.ensure(
        page.tx, environment=page.environment, thumbtack_id=business.thumbtack_id, name=business.name, now=page.now
    )
    ids: dict[str, Any] = {} if business is UNNAMED_BUSINESS else {"business_id": ours.id}
    if customer is None:
        return Parties(ids=ids, changed=renamed)
    known, filled = await businesses.ensure_customer(
        page.tx,
        business_id=leads.known(ours.id),
        thumbtack_id=customer.thumbtack_id,
        name=customer.name,
        phone=customer.phone,
        now=page.now,
    )
    return Parties(ids={**ids, "customer_id": known.id}, changed=renamed or filled)


def _columns(fact: LeadReceived) -> dict[str, Any]:
    return {
        "generation": fact.generation,
        "is_test": fact.is_test,
        "created_at": fact.created_at,
        "request_thumbtack_id": fact.request_id,
        "category_id": fact.category_id,
        "category": fact.category,
        "title": fact.title,
        "description": fact.description,
        "schedule": fact.schedule,
        "address1": fact.address1,
        "address2": fact.address2,
        "city": fact.city,
        "state": fact.state,
        "zip_code": fact.zip_code,
        "travel_preferences": fact.travel_preferences,
        "details": [asdict(answer) for answer in fact.details],
        "attachments": [asdict(attachment) for attachment in fact.attachments],
        "lead_type": fact.lead_type,
        "price_text": fact.price,
        "extra": fact.extra,
    }


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


async def _announce(page: Page, lead: Lead) -> None:
    """Open the lead's thread: its card, then what did not fit on it, then its photos."""
    lead.announced_at = page.now
    await page.say(Kind.POST_LEAD, lead, priority=NEW_LEAD_FIRST)
    if not lead.is_placeholder:
        await _say_rest(page, lead)


async def _say_rest(page: Page, lead: Lead) -> None:
    await page.say(Kind.POST_DETAILS, lead)
    if lead.attachments:
        await page.say(Kind.POST_PHOTOS, lead)


async def _say_filled(page: Page, lead: Lead, filled: frozenset[str], *, priced: bool) -> None:
    """What a later body of a lead brought that the card cannot hold."""
    if filled & ON_CARD_OR_BELOW:
        await page.say(Kind.POST_DETAILS, lead)
    if "attachments" in filled:
        await page.say(Kind.POST_PHOTOS, lead)
    if priced:
        await _say_price(page, lead)


async def _say_price(page: Page, lead: Lead) -> None:
    await page.say(Kind.POST_CHARGE, lead, payload={"charge": lead.charge_text, "state": lead.charge_state})


async def _update_card(page: Page, lead: Lead) -> None:
    """Bring the card up to date; one update that still waits says everything."""
    if await outbox.pending_of(page.tx, slack_lane(leads.known(lead.id)), Kind.UPDATE_CARD) is None:
        await page.say(Kind.UPDATE_CARD, lead)
