"""What customers say: their messages and their reviews."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from bot import policies
from bot.blocks import messages as blocks
from bot.blocks import private
from bot.blocks import reviews as review_blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, More, Prepared
from bot.dispatch.to_slack.leads import NO_CHANNEL, NO_THREAD, place_of_review
from bot.dispatch.to_slack.posting import one_of, posting, updating
from storage import businesses, leads, reviews, said, threads
from storage.database import Transaction
from storage.models import Business, Environment, Review
from storage.said import OfLead, ToPost
from storage.threads import LeadThread
from webhooks.thumbtack.facts import Sender


@dataclass(frozen=True, kw_only=True)
class Call:
    """Whom a message calls, and whether it is shown in the channel too."""

    ring: tuple[str, ...] = ()
    broadcast: bool = False


async def post_message(at: At) -> Prepared:
    """POST_MESSAGE: a message from Thumbtack.

    A customer's rings for who has the lead, else who wrote last, else the ring list; it stands in the channel too while
    nobody has worked the lead, and where its thread was silent for long. What somebody answered in Thumbtack's app rings
    for nobody; what Thumbtack made itself is not shown.
    """
    thread = await threads.of_lead(at.tx, at.entry.lead_id)
    message = await said.to_post(at.tx, at.entry.message_id, lead_id=at.entry.lead_id)
    if message is None or message.is_automatic:
        return None
    if thread is None:
        return NO_THREAD
    message_id, lead = message.id, message.lead
    if lead is None:
        raise LookupError("the lead of this entry is gone")
    call = Call() if message.author == Sender.BUSINESS else await _call(at, lead, thread, message)
    if await policies.hides(at.tx, at.services.settings, lead.business):
        posts = [_private(lead, message, call)]
    else:
        name = _writer_name(lead, message)
        posts = blocks.customer_message(message, name=name, mention=call.ring, broadcast=call.broadcast)

    async def then(tx: Transaction, answer: Answer, _now: datetime) -> None:
        await said.stands(tx, message_id, team_id=at.identity.team_id, channel=answer["channel"], ts=answer["ts"])

    turn = one_of(at, posts, then)
    if turn is None:
        return None
    return posting(at, turn[0], channel=thread.channel, thread=thread, then=turn[1])


async def _call(at: At, lead: OfLead, thread: LeadThread, message: ToPost) -> Call:
    settings = at.services.settings
    person = lead.owner or await said.last_writer(at.tx, thread.lead_id)
    if person is None:
        return Call(ring=settings.slack_ring if lead.ring is None else tuple(lead.ring), broadcast=True)
    return Call(ring=(person,), broadcast=await _surfaces(at, thread, message))


async def _surfaces(at: At, thread: LeadThread, message: ToPost) -> bool:
    """Whether nobody had written for so long that the thread is out of sight; a new card is in sight."""
    after = timedelta(hours=at.services.settings.surface_after_hours)
    if not after or message.stored_at - thread.attached_at < after:
        return False
    return not await said.was_written_after(at.tx, message, message.stored_at - after)


def _private(lead: OfLead, message: ToPost, call: Call) -> Post:
    from_business = message.author == Sender.BUSINESS
    return private.message(lead.id, from_business=from_business, ring=call.ring, broadcast=call.broadcast)


def _writer_name(lead: OfLead, message: ToPost) -> str | None:
    if message.author == Sender.BUSINESS:
        return lead.business.name if lead.business else None
    return lead.customer_name


async def post_review(at: At) -> Prepared:
    """POST_REVIEW {review_id}: into its lead's thread and the channel, or a post of its own; changed in place later."""
    review = await reviews.get(at.tx, at.entry.payload["review_id"])
    if review is None:
        return None
    lead = await leads.get(at.tx, review.lead_id) if review.lead_id is not None else None
    business = await businesses.get(at.tx, review.business_id or (lead.business_id if lead else None))
    customer = await businesses.customer(at.tx, lead.customer_id) if lead is not None else None
    if await policies.hides(at.tx, at.services.settings, business):
        posts = [private.review(leads.known(review.id), in_thread=review.lead_id is not None)]
    else:
        posts = review_blocks.review(
            review,
            business_name=business.name if business else None,
            customer_name=customer.name if customer else None,
            answer_url=_answer_url(at, business),
        )
    if review.slack_ts is not None and review.channel is not None and at.part == 0:
        return updating(at, posts[0], channel=review.channel, ts=review.slack_ts, delivery_id=at.entry.delivery_id)
    return await _new_review(at, review, posts)


def _answer_url(at: At, business: Business | None) -> str | None:
    """Where a review of this business is answered: v4's own call cannot be taken back and its body is not published."""
    if business is None or business.environment != Environment.PRODUCTION:
        return None
    return at.services.settings.thumbtack_reviews_url.replace("{business_id}", quote(business.thumbtack_id, safe=""))


async def _new_review(at: At, review: Review, posts: list[Post]) -> Prepared:
    review_id = review.id
    thread = await threads.of_lead(at.tx, review.lead_id)
    if review.lead_id is not None and thread is None:
        return NO_THREAD
    channel = thread.channel if thread else await place_of_review(at, review)
    if channel is None:
        return NO_CHANNEL

    turn = one_of(at, posts)
    if turn is None:
        return None
    post, follow = turn

    async def then(tx: Transaction, answer: Answer, now: datetime) -> More | None:
        if thread is None or at.part == 0:
            await reviews.stands(tx, review_id or 0, channel=answer["channel"], ts=answer["ts"])
        return await follow(tx, answer, now)

    return posting(at, post, channel=channel, thread=thread, then=then)
