"""A lead's thread: its card, what follows the card, and the lines that tell of changes."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot import replies, zones
from bot.blocks import leads as blocks
from bot.blocks import messages as message_blocks
from bot.blocks import standing
from bot.dispatch.plans import Answer, At, More, NotYet, Prepared
from bot.dispatch.to_slack.posting import Then, one_of, posting, updating
from bot.replies import Desk
from storage import businesses, leads, messages, outbox, reviews, threads
from storage.database import Transaction
from storage.models import Lead, Thread

NO_CHANNEL = NotYet(reason="no_channel")
NO_THREAD = NotYet(reason="no_thread")
"""The card was given up, or deleted in Slack: what belongs under it waits until there is one."""


async def lead_of(at: At) -> Lead:
    """The lead an entry is about."""
    lead = await leads.get(at.tx, leads.known(at.entry.lead_id))
    if lead is None:
        raise LookupError("the lead of this entry is gone")
    return lead


async def view(at: At, lead: Lead) -> blocks.LeadView:
    """All that the card shows."""
    settings = at.services.settings
    ring = settings.slack_ring
    business = await businesses.get(at.tx, lead.business_id)
    return blocks.LeadView(
        lead=lead,
        business=business,
        customer=await businesses.customer(at.tx, lead.customer_id),
        replies=await replies.replies_go(at.desk, lead),
        ring=ring,
        ring_hint=not ring and await leads.is_first_posted(at.tx, lead),
        lead_url=settings.thumbtack_lead_url.replace("{lead_id}", quote(lead.thumbtack_id, safe="")),
        zone=zones.of_lead(lead, business, always=settings.time_zone),
    )


async def post_lead(at: At) -> Prepared:
    """POST_LEAD: the parent message. Once it stands, the lead is attached to it."""
    lead = await lead_of(at)
    joined = lead.id != at.entry.lead_id
    if await threads.own(at.tx, at.entry.lead_id) is not None or (joined and not at.maybe_done):
        return None  # a lead that joined another gets no card; one that may be out is looked for
    channel = at.entry.channel or at.services.settings.slack_leads_channel
    if channel is None:
        return NO_CHANNEL
    lead_id, delivery_id, as_placeholder = leads.known(at.entry.lead_id), at.entry.delivery_id, lead.is_placeholder

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        posted = await leads.get(tx, lead_id)
        if posted is None or not answer:  # joined meanwhile, and there was nothing to find
            return
        await threads.lock(tx, answer["channel"])
        if posted.id == lead_id:
            posted.posted_at = now
            leads.record(tx, posted, kind="posted", via="slack", now=now)
        await threads.attach(
            tx,
            lead_id=lead_id,
            team_id=at.identity.team_id,
            channel=answer["channel"],
            ts=answer["ts"],
            delivery_id=delivery_id,
            as_placeholder=as_placeholder,
            now=now,
        )
        await _match(Desk(tx=tx, settings=at.services.settings, now=now), posted, answer["channel"], answer["ts"])

    plan = posting(at, blocks.card(await view(at, lead)), channel=channel, then=then)
    return replace(plan, perform=_not_posted) if joined else plan


async def _not_posted() -> Answer:
    return {}


async def _match(desk: Desk, lead: Lead, channel: str, ts: str) -> None:
    """Replies that people wrote before we knew that this was a lead's card are replies all the same."""
    for message in await messages.unattached(desk.tx, channel, ts):
        message.lead_id, message.environment = lead.id, lead.environment
        if message.state is None:
            await replies.take(desk, message, lead)
    if not await outbox.lead_post_under_way(desk.tx, channel, besides=leads.known(lead.id)):
        await messages.forget_unattached(desk.tx, channel)


async def _thread(at: At) -> Thread | None:
    return await threads.of_lead(at.tx, at.entry.lead_id)


async def update_card(at: At) -> Prepared:
    """UPDATE_CARD: the parent shows the present state."""
    thread = await _thread(at)
    if thread is None:
        return None
    card = blocks.card(await view(at, await lead_of(at)))
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

    Those of a review without a lead follow it in the channel.
    """
    thread = await _thread(at)
    if thread is None and at.entry.lead_id is not None:
        return NO_THREAD
    channel = thread.channel if thread else at.entry.channel or at.services.settings.slack_leads_channel
    if channel is None:
        return NO_CHANNEL
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
        review = await reviews.get(at.tx, at.entry.payload["review_id"])
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
            told.as_placeholder = False

    post = blocks.arrived_line(await view(at, await lead_of(at)))
    return posting(at, post, channel=thread.channel, thread=thread, then=then)


async def post_charge(at: At) -> Prepared:
    """POST_CHARGE {charge, state}: one line that tells of a change of the lead's cost."""
    thread = await _thread(at)
    if thread is None:
        return NO_THREAD
    post = blocks.price_line(at.entry.payload.get("charge"), at.entry.payload.get("state"))
    return posting(at, post, channel=thread.channel, thread=thread)


async def post_status(at: At) -> Prepared:
    """POST_STATUS {status}: one line that tells how the lead stands now."""
    thread = await _thread(at)
    if thread is None:
        return NO_THREAD
    post = standing.status_line(at.entry.payload["status"])
    return posting(at, post, channel=thread.channel, thread=thread)
