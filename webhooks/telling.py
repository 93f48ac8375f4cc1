"""What Slack is told of what was written down: in the same transaction, in the lane of the lead it is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage import businesses, leads, outbox, renewing, routing, threads
from storage.database import Transaction
from storage.models import Environment, Lead, Review
from storage.outbox import Enqueued, Kind, slack_lane
from webhooks.lead_columns import ON_CARD_OR_BELOW
from webhooks.thumbtack.facts import Generation

NEW_LEAD_FIRST = 0

FETCH_AFTER = timedelta(seconds=3)
"""How long a lead that was only named has to come by itself: Thumbtack pushes its description as a message before it."""

LEAD_FOLLOWS = timedelta(seconds=5)
"""How long the card of a lead that v4 only named waits for the lead: then what Thumbtack itself wrote makes no noise."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What facts are written on: one transaction, for one environment.

    `default_channel`: where leads go unless something else was said; `reminds`: unanswered leads are, likewise.
    `heard_at`: when the webhook came that is written down, None where it is none.
    """

    tx: Transaction
    environment: Environment
    now: datetime
    default_channel: str | None
    reminds: bool
    heard_at: datetime | None = None

    async def say(self, kind: Kind, lead: Lead, **entry: Any) -> Enqueued:
        """Let something be said about a lead, behind whatever was to be said about it before; the entry."""
        lead_id = leads.known(lead.id)
        if kind in renewing.NEWS:
            return await self.say_news(kind, lead_id, **entry)
        return await self._say(kind, lead_id, channel=await self._channel(lead), **entry)

    async def say_news(self, kind: Kind, lead_id: int, **entry: Any) -> Enqueued:
        """Likewise what is worth a new card, where the old one is too old to be seen, or its channel was deleted.

        See `storage.renewing`.
        """
        place = await renewing.place_of_news(self.tx, lead_id, now=self.now, default=self.default_channel)
        return await self._say(kind, lead_id, channel=place, **entry)

    async def _say(self, kind: Kind, lead_id: int, **entry: Any) -> Enqueued:
        lane = slack_lane(lead_id)
        return await outbox.enqueue(
            self.tx, kind, now=self.now, since=self.heard_at, lane=lane, lead_id=lead_id, **entry
        )

    async def say_of_review(self, kind: Kind, review: Review, lead: Lead | None) -> None:
        """Let something be said about a review: in its lead's thread, or where it stands by itself."""
        payload = {"review_id": review.id}
        if lead is not None:
            await self.say(kind, lead, payload=payload)
            return
        matter = routing.Matter(business=await businesses.get(self.tx, review.business_id))
        place = await routing.place_for(self.tx, matter, default=self.default_channel)
        lane = f"slack:review:{review.id}"
        await outbox.enqueue(
            self.tx,
            kind,
            now=self.now,
            since=self.heard_at,
            payload=payload,
            lane=lane,
            channel=place.channel,
        )

    async def _channel(self, lead: Lead) -> str | None:
        """Where the lead's thread is, or will be."""
        thread = await threads.of_lead(self.tx, lead.id) if lead.posted_at else None
        if thread is not None and not await renewing.is_gone(self.tx, thread):
            return thread.channel
        return lead.channel if thread is None or thread.channel != lead.channel else None

    async def choose_place(self, lead: Lead) -> None:
        """Decide where the card goes of a lead that is announced now; it stays there, whatever is learnt about it later."""
        place = await routing.place_of(self.tx, lead, default=self.default_channel)
        ring = None if place.ring is None else list(place.ring)
        await leads.change(self.tx, lead, announced_at=self.now, channel=place.channel, ring=ring)


async def announce(page: Page, lead: Lead) -> None:
    """Open the lead's thread: its card, then what did not fit on it, then its photos."""
    await page.choose_place(lead)
    comes_yet = lead.is_placeholder and lead.generation == Generation.V4
    due_at = page.now + LEAD_FOLLOWS if comes_yet else None
    await page.say(Kind.POST_LEAD, lead, priority=NEW_LEAD_FIRST, due_at=due_at)
    if not lead.is_placeholder:
        await say_rest(page, lead)
    elif lead.generation == Generation.V4:
        due_at = page.now + FETCH_AFTER
        await outbox.enqueue(page.tx, Kind.FETCH_LEAD, now=page.now, lead_id=lead.id, due_at=due_at)


async def say_rest(page: Page, lead: Lead) -> None:
    """What did not fit on the card, and the photos."""
    await page.say(Kind.POST_DETAILS, lead)
    if lead.attachments:
        await page.say(Kind.POST_PHOTOS, lead)


async def say_filled(page: Page, lead: Lead, filled: frozenset[str], *, priced: bool) -> None:
    """What a later body of a lead brought that the card cannot hold."""
    if filled & ON_CARD_OR_BELOW:
        await page.say(Kind.POST_DETAILS, lead)
    if "attachments" in filled:
        await page.say(Kind.POST_PHOTOS, lead)
    if priced:
        await say_price(page, lead)


async def say_price(page: Page, lead: Lead) -> None:
    """One line about what the lead costs now."""
    await page.say(Kind.POST_CHARGE, lead, payload={"charge": lead.charge_text, "state": lead.charge_state})


async def update_card(page: Page, lead: Lead) -> None:
    """Bring the card up to date; one update that still waits says everything, and a card to come does too."""
    if lead.announced_at is None:
        return
    if await outbox.pending_of(page.tx, slack_lane(leads.known(lead.id)), Kind.UPDATE_CARD) is None:
        await page.say(Kind.UPDATE_CARD, lead)
