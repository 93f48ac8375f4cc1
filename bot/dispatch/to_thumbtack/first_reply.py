"""The automatic first reply: once per lead, and only while nobody has answered in any way.

It is decided about when Thumbtack's own quick reply would be known (`webhooks.writing.FIRST_REPLY_AFTER`), in the very
transaction that settles the entry: whatever ends when, either nothing was decided or everything was. It is looked at
once more just before it goes out, for it may have waited for Thumbtack meanwhile.
"""

from datetime import timedelta
from enum import StrEnum

import structlog

from bot import contact_data, hours, placeholders, policies, replies, reply_rules, ways, zones
from bot.dispatch.plans import At, Prepared
from bot.errors import Reason
from bot.notes import Disposition, disposition
from storage import businesses, first_replies, inbound, leads, outbox, states, threads
from storage.first_replies import When
from storage.models import Business, ContactData, Environment, Lead, Message, ReplyState
from storage.outbox import Kind, slack_lane
from webhooks.thumbtack.facts import Sender

log = structlog.get_logger()


class StoodDown(StrEnum):
    """Why there is none. Where replies cannot go out at all, it is the code of that (`bot.errors`)."""

    FINISHED = "finished"
    ANSWERED = "answered"  # in Thumbtack's app, by phone, or here
    WRITTEN = "written"  # somebody writes in the thread; it may not have gone out yet
    QUICK_REPLY = "quick_reply"  # Thumbtack's own went out
    WRITTEN_BEFORE = "written_before"
    LATE = "late"
    HOURS = "hours"
    QUIET = "quiet"
    NO_PROSE = "no_prose"  # a note, nothing, or too much, once the placeholders were filled
    CONTACT_DATA = "contact_data"


async def first_reply(at: At) -> Prepared:
    """FIRST_REPLY: nothing where the business has it off, and never for a test; else it is decided for good."""
    lead = await leads.to_change(at.tx, at.entry.lead_id)
    business = None if lead is None else await businesses.get(at.tx, lead.business_id)
    if lead is None or business is None or not _is_wanted(lead, business):
        return None
    text = await _worded(at, lead, business)
    why_not = await _overtaken(at, lead) or await _unfit(at, lead, business) or await _unsaid(at, lead, text)
    if why_not is not None:
        if await first_replies.stand_down(at.tx, lead, reason=why_not, now=at.now):
            log.info("first_reply_stood_down", lead_id=lead.id, reason=why_not)
        return None
    message = await first_replies.write(at.tx, lead, text, team_id=at.identity.team_id, now=at.now)
    if message is not None:
        await _let_go(at, lead, message)
        log.info("first_reply_written", lead_id=lead.id, message_id=message.id)
    return None


def _is_wanted(lead: Lead, business: Business) -> bool:
    """Thumbtack's tests, and all of its staging environment, are never answered automatically."""
    is_real = lead.environment == Environment.PRODUCTION and not lead.is_test
    return is_real and bool(business.first_reply) and business.first_reply_when != When.OFF


async def _worded(at: At, lead: Lead, business: Business) -> str:
    customer = await businesses.customer(at.tx, lead.customer_id)
    return placeholders.filled(business.first_reply or "", placeholders.of_lead(lead, customer, business))


async def _overtaken(at: At, lead: Lead) -> str | None:
    """Whether somebody, or Thumbtack, was faster, or it is too late to be a first reply."""
    lead_id = leads.known(lead.id)
    if states.of(lead) in states.FINISHED:
        return StoodDown.FINISHED
    if lead.first_answer_at is not None:
        return StoodDown.ANSWERED
    if await first_replies.has_a_person_written(at.tx, lead_id, in_doubt=replies.ASKS):
        return StoodDown.WRITTEN
    heard = await inbound.of_lead(at.tx, lead_id)
    if any(one.author == Sender.BUSINESS for one in heard):
        return StoodDown.QUICK_REPLY
    asked_at = lead.created_at or lead.received_at or at.now
    is_late = at.now - asked_at > timedelta(minutes=at.services.settings.reply_max_age_minutes)
    return StoodDown.LATE if is_late else None


async def _unfit(at: At, lead: Lead, business: Business) -> str | None:
    """Whether nothing may go out now, here, or to this customer."""
    if await first_replies.is_written(at.tx, leads.known(lead.id)):
        return StoodDown.WRITTEN_BEFORE
    when = When(business.first_reply_when or When.ALWAYS)
    if when is not When.ALWAYS:
        zone = zones.of_lead(lead, business, always=at.services.settings.time_zone)
        is_open = hours.Hours.of(business.hours, zone).is_open(at.now)
        if is_open is not (when is When.OPEN):
            return StoodDown.HOURS
    way = await ways.find(at.tx, at.services.settings, lead, now=at.now)
    return way if isinstance(way, Reason) else None


async def _unsaid(at: At, lead: Lead, text: str) -> str | None:
    """Whether these words do not go out where this lead stands; nobody is there who could be asked."""
    policy = await policies.of_channel(at.tx, at.services.settings, await reply_rules.channel_of(at.desk, lead))
    if policy.quiet:
        return StoodDown.QUIET
    if disposition(text, None, files=False, quiet=False) is not Disposition.SEND:
        return StoodDown.NO_PROSE
    carries = policy.contact_data is not ContactData.OFF and contact_data.carries(text)
    return StoodDown.CONTACT_DATA if carries else None


async def _let_go(at: At, lead: Lead, message: Message) -> None:
    """Into the lane of the team's replies; and a line in the thread, which carries the mark."""
    lead_id = leads.known(lead.id)
    thread = await threads.of_lead(at.tx, lead_id)
    await outbox.enqueue(
        at.tx,
        Kind.POST_REPLY_LINE,
        now=at.now,
        lane=slack_lane(lead_id),
        channel=thread.channel if thread else lead.channel,
        lead_id=lead_id,
        message_id=message.id,
    )
    await replies.send(at.desk, message)


async def stood_down(at: At, message: Message, lead: Lead) -> bool:
    """Whether a reply that is about to go out is an automatic one that came too late: it stays inside then.

    Only while no person has taken it on: who presses Retry means it.
    """
    if not message.is_automatic or message.confirmed_at is not None:
        return False
    is_overdue = at.now >= reply_rules.deadline(at.services.settings, message)
    is_second = await first_replies.is_written(at.tx, leads.known(lead.id), before=message)
    if not is_overdue and not is_second and await _overtaken(at, lead) is None:
        return False
    await replies.move(at.desk, message, ReplyState.KEPT, reason=Reason.FIRST_REPLY_LATE)
    log.info("first_reply_stood_down", lead_id=lead.id, message_id=message.id)
    return True
