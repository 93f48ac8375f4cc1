"""A lead's thread: its card, what follows the card, and the lines that tell of changes."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot import lead_views, policies, replies
from bot.blocks import leads as blocks
from bot.blocks import messages as message_blocks
from bot.blocks import private, standing
from bot.blocks.recent import address, signpost
from bot.dispatch.plans import Answer, At, Instead, More, NotYet, Plan, Prepared, Settled
from bot.dispatch.to_slack.posting import Failed, Then, one_of, posting, updating
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure
from bot.reply_rules import Desk
from storage import (
    businesses,
    channels,
    closing,
    leads,
    messages,
    outbox,
    reading_back,
    renewing,
    reviews,
    routing,
    threads,
    unsettled,
)
from storage.database import Transaction
from storage.models import Lead, Review
from storage.outbox import Kind
from storage.presence import AWAY
from storage.threads import LeadThread

WITHOUT_CHANNEL = "no_channel"
NO_CHANNEL = NotYet(reason=WITHOUT_CHANNEL)
NO_THREAD = NotYet(reason="no_thread")
"""The card was given up, or deleted in Slack: what belongs under it waits until there is one."""


async def lead_of(at: At) -> Lead:
    """The lead an entry is about."""
    lead = await leads.get(at.tx, leads.known(at.entry.lead_id))
    if lead is None:
        raise LookupError("the lead of this entry is gone")
    return lead


async def hides(at: At, lead: Lead) -> bool:
    """Whether what this lead says is shown to who opens it alone."""
    return await policies.hides(at.tx, at.services.settings, await businesses.get(at.tx, lead.business_id))


async def view(at: At, lead: Lead) -> blocks.LeadView:
    """All that the card shows."""
    return await lead_views.of(at.desk, lead)


async def post_lead(at: At) -> Prepared:
    """POST_LEAD {renews}: the parent message. Once it stands, the lead is attached to it.

    `renews`: the thread that this card takes the place of.
    """
    lead = await lead_of(at)
    joined, stands = lead.id != at.entry.lead_id, await threads.own(at.tx, at.entry.lead_id)
    is_new = stands is None or stands.id == at.entry.payload.get("renews")
    if not is_new or (joined and not at.maybe_done):
        return None  # a lead that joined another gets no card; one that may be out is looked for
    channel = await _channel(at, lead)
    if channel is None:
        return NO_CHANNEL
    lead_id, delivery_id, as_placeholder = leads.known(at.entry.lead_id), at.entry.delivery_id, lead.is_placeholder
    began = at.entry.sending_at if at.maybe_done else None

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        posted_id = await leads.id_now(tx, lead_id)
        if posted_id is None or not answer:  # joined meanwhile, and there was nothing to find
            return
        await threads.lock(tx, answer["channel"])
        if posted_id == lead_id:
            await leads.posted(tx, lead_id, is_first=stands is None, now=now)
        thread = await threads.attach(
            tx,
            lead_id=lead_id,
            team_id=at.identity.team_id,
            channel=answer["channel"],
            ts=answer["ts"],
            delivery_id=delivery_id,
            as_placeholder=as_placeholder,
            now=now,
        )
        if stands is not None:
            payload = {"of": stands.id}
            await outbox.enqueue(
                tx, Kind.UPDATE_CARD, now=now, channel=stands.channel, lead_id=lead_id, payload=payload
            )
        await _match(Desk(tx=tx, settings=at.services.settings, now=now), posted_id, answer["channel"], answer["ts"])
        if began is not None and now - began > AWAY:  # people saw it meanwhile, and we did not know whose thread it is
            policy = await policies.of_channel(tx, at.services.settings, thread.channel)
            await reading_back.add(tx, thread, posted_id, since=began, now=now, quiet=policy.quiet)

    plan = posting(at, blocks.card(await view(at, lead)), channel=channel, then=then)
    return replace(plan, perform=_not_posted) if joined else replace(plan, failed=_or_elsewhere(at, channel, plan))


def _or_elsewhere(at: At, channel: str, plan: Plan) -> Failed:
    """The channel was closed while the card was under way: it goes elsewhere at once, whatever time Slack asked for there."""

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Instead | Settled:
        found = verdict if plan.failed is None else await plan.failed(tx, failure, verdict, now)
        lead = await leads.get(tx, leads.known(at.entry.lead_id))
        if lead is None or not isinstance(found, Again) or not await channels.is_closed(tx, channel):
            return found
        place = await routing.place_of(tx, lead, default=at.services.settings.slack_leads_channel)
        return found if place.channel in (None, channel) else replace(found, at=now)

    return failed


async def _channel(at: At, lead: Lead) -> str | None:
    """Where the card goes: elsewhere than was decided, where that channel was closed to us or given to others meanwhile."""
    decided, default = at.entry.channel, at.services.settings.slack_leads_channel
    if decided is None:
        return await _place(at, lead)
    if at.maybe_done and not await renewing.was_deleted(at.tx, decided):
        return decided  # it may be out there
    if not await routing.may_go(at.tx, lead, decided, default=default):
        return await _place(at, lead)
    if not await channels.is_closed(at.tx, decided):
        return decided
    return await closing.move_one(at.tx, at.entry.id, now=at.now, default=default)


async def _place(at: At, lead: Lead) -> str | None:
    """Where a card goes for which there is no channel; the keepers are told of the first that waits for one."""
    place = await routing.place_of(at.tx, lead, default=at.services.settings.slack_leads_channel)
    lead.channel, lead.ring = place.channel, None if place.ring is None else list(place.ring)
    if place.channel is None and not await unsettled.cards_wait(at.tx, reason=WITHOUT_CHANNEL):
        payload = {"notice": "no_place", "lead": leads.known(lead.id)}
        await outbox.enqueue(at.tx, Kind.POST_NOTICE, now=at.now, payload=payload)
    return place.channel


async def _not_posted() -> Answer:
    return {}


async def _match(desk: Desk, lead_id: int, channel: str, ts: str) -> None:
    """Replies that people wrote before we knew that this was a lead's card are replies all the same."""
    written = await messages.unattached(desk.tx, channel, ts)
    lead = await leads.get(desk.tx, lead_id) if written else None
    if lead is not None:
        for message in written:
            message.lead_id, message.environment = lead.id, lead.environment
            if message.state is None:
                await replies.take(desk, message, lead)
    if not await unsettled.lead_post_under_way(desk.tx, channel, besides=lead_id):
        await messages.forget_unattached(desk.tx, channel)


async def _thread(at: At) -> LeadThread | None:
    return await threads.of_lead(at.tx, at.entry.lead_id)


async def update_card(at: At) -> Prepared:
    """UPDATE_CARD {of}: the parent shows the present state; `of` an old thread, where it continues."""
    thread, old = await _thread(at), await threads.get(at.tx, at.entry.payload.get("of"))
    if thread is None or await renewing.is_gone(at.tx, thread):
        return None
    lead = await lead_of(at)
    if old is not None:
        if await channels.is_closed(at.tx, old.channel):
            return None
        headline = None if await hides(at, lead) else blocks.headline(lead)
        post = signpost(headline, address(thread.channel, thread.ts))
        return updating(at, post, channel=old.channel, ts=old.ts, delivery_id=old.delivery_id)
    card = blocks.card(await view(at, lead))
    return updating(at, card, channel=thread.channel, ts=thread.ts, delivery_id=thread.delivery_id)


async def post_details(at: At) -> Prepared:
    """POST_DETAILS: what did not fit on the card, as the first replies."""
    thread = await _thread(at)
    if thread is None:
        return NO_THREAD
    turn = one_of(at, blocks.continuations(await view(at, await lead_of(at))))
    if turn is None:
        return None
    return posting(at, turn[0], channel=thread.channel, thread=thread, then=turn[1])


async def post_photos(at: At) -> Prepared:
    """POST_PHOTOS: the pictures of a lead, a message or a review; as links where Slack cannot fetch one.

    Those of a review without a lead follow it in the channel. Private ones are behind the Open button of what they are of.
    """
    thread = await _thread(at)
    if thread is None and at.entry.lead_id is not None:
        return NO_THREAD
    channel = thread.channel if thread else await place_of_review(at, await _review(at))
    if channel is None:
        return NO_CHANNEL
    if await _are_hidden(at):
        return None
    attachments, title = await _attachments(at)
    others = [one for one in attachments if not message_blocks.is_image(one)]
    posts = [*message_blocks.photos(attachments, title), *message_blocks.photo_links(others)]
    turn = one_of(at, posts)
    if turn is None:
        return None
    post, then = turn[0], turn[1] if thread else _of_review(at, turn[1])
    if at.entry.payload.get("links"):
        shown = {block.get("image_url") for block in post.blocks}
        post = message_blocks.photo_links([one for one in attachments if one["url"] in shown])[0]
    return posting(at, post, channel=channel, thread=thread, then=then, instead={"links": True})


async def _are_hidden(at: At) -> bool:
    if at.entry.lead_id is not None:
        return await hides(at, await lead_of(at))
    review = await reviews.get(at.tx, at.entry.payload.get("review_id", 0))
    business = await businesses.get(at.tx, review.business_id if review else None)
    return await policies.hides(at.tx, at.services.settings, business)


async def _review(at: At) -> Review | None:
    return await reviews.get(at.tx, at.entry.payload.get("review_id", 0))


async def place_of_review(at: At, review: Review | None) -> str | None:
    """Where a review that belongs to no lead stands, or is to stand."""
    stands = (None if review is None else review.channel) or at.entry.channel
    if stands is not None or review is None:
        return stands
    matter = routing.Matter(business=await businesses.get(at.tx, review.business_id))
    return (await routing.place_for(at.tx, matter, default=at.services.settings.slack_leads_channel)).channel


def _of_review(at: At, follow: Then) -> Then:
    """Pictures that stand in the channel belong to the review that they follow."""
    review_id = at.entry.payload.get("review_id", 0)

    async def then(tx: Transaction, answer: Answer, now: datetime) -> More | None:
        await reviews.stands(tx, review_id, channel=answer["channel"], ts=answer["ts"])
        return await follow(tx, answer, now)

    return then


async def _attachments(at: At) -> tuple[list[dict[str, Any]], str]:
    """What came with a message, a review or the lead itself, and whose it is."""
    message = await messages.get(at.tx, at.entry.message_id)
    if message is not None:
        return message.attachments, "With the message"
    if "review_id" in at.entry.payload:
        review = await _review(at)
        return (review.photos if review else []), "With the review"
    return (await lead_of(at)).attachments, "With the request"


async def post_arrived(at: At) -> Prepared:
    """POST_ARRIVED: the lead that a placeholder waited for has come; said once, and only where one was posted."""
    thread = await _thread(at)
    if thread is None or not thread.as_placeholder:
        return None
    lead_id = thread.lead_id

    async def then(tx: Transaction, _answer: Answer, _now: datetime) -> None:
        told = await threads.of_lead(tx, lead_id)
        if told is not None:
            await threads.arrived(tx, told)

    post = blocks.arrived_line(await view(at, await lead_of(at)))
    return posting(at, post, channel=thread.channel, thread=thread, then=then)


async def post_charge(at: At) -> Prepared:
    """POST_CHARGE {charge, state}: one line that tells of a change of the lead's cost."""
    thread = await _thread(at)
    if thread is None:
        return NO_THREAD
    lead = await lead_of(at)
    if await hides(at, lead):
        return posting(at, private.cost_changed(leads.known(lead.id)), channel=thread.channel, thread=thread)
    post = blocks.price_line(at.entry.payload.get("charge"), at.entry.payload.get("state"))
    return posting(at, post, channel=thread.channel, thread=thread)


async def post_status(at: At) -> Prepared:
    """POST_STATUS {status}: one line that tells how the lead stands now."""
    thread = await _thread(at)
    if thread is None:
        return NO_THREAD
    lead = await lead_of(at)
    if await hides(at, lead):
        return posting(at, private.status_changed(leads.known(lead.id)), channel=thread.channel, thread=thread)
    post = standing.status_line(at.entry.payload["status"])
    return posting(at, post, channel=thread.channel, thread=thread)
