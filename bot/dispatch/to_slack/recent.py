"""The last messages of a lead, below the new card that takes the place of an old or deleted one."""

from datetime import timedelta

from bot.blocks import recent as blocks
from bot.blocks.messages import counted
from bot.dispatch.plans import At, NotYet, Prepared
from bot.dispatch.to_slack.leads import hides, lead_of
from bot.dispatch.to_slack.posting import posting
from storage import businesses, conversation, leads, renewing, threads
from storage.models import Business, Customer, Direction, Message
from storage.threads import LeadThread
from webhooks.thumbtack.facts import Sender

CARD_SOON = NotYet(reason="no_thread", pause=timedelta(seconds=1))
"""The new card is not there yet."""


async def post_recent(at: At) -> Prepared:
    """POST_RECENT {renews}: one post that calls nobody; nothing for a business whose leads are private."""
    lead = await lead_of(at)
    thread, old = await threads.own(at.tx, lead.id), await threads.get(at.tx, at.entry.payload.get("renews"))
    if thread is None or (old is not None and thread.id == old.id):
        return None if await renewing.card_to_come(at.tx, leads.known(lead.id)) is None else CARD_SOON
    if await hides(at, lead):
        return None
    business = await businesses.get(at.tx, lead.business_id)
    customer = await businesses.customer(at.tx, lead.customer_id)
    said = await conversation.last_said(at.tx, leads.known(lead.id), limit=blocks.MOST)
    lines = [_line(one, business, customer) for one in said]
    post = blocks.recent(lines, before=None if old is None else await _address(at, old))
    return None if post is None else posting(at, post, channel=thread.channel, thread=thread)


def _line(one: Message, business: Business | None, customer: Customer | None) -> blocks.Line:
    text = "\n".join(
        filter(None, (one.sent_text or one.text, f"({counted(one.attachments)})" if one.attachments else ""))
    )
    return blocks.Line(at=one.sent_at or one.stored_at, text=text, name=_whose(one, business, customer))


def _whose(one: Message, business: Business | None, customer: Customer | None) -> str | None:
    if one.direction == Direction.OUTBOUND:
        return "The team"
    if one.author == Sender.BUSINESS:
        return business.name if business is not None else None
    return customer.name if customer is not None else None


async def _address(at: At, old: LeadThread) -> str | None:
    """Where the old card stands; None where its channel was deleted."""
    return None if await renewing.is_gone(at.tx, old) else blocks.address(old.channel, old.ts)
