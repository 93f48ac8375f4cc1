"""Reminds the team of a customer who waits for an answer, step by step."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot import hours, ladder, lead_views, policies, reply_rules, zones
from bot.blocks.lead_view import RepliesGo
from bot.blocks.mrkdwn import visible
from bot.blocks.posts import Post
from bot.blocks.reminders import Reminder, reminder
from bot.dispatch.plans import Answer, At, More, NotYet, Prepared
from bot.dispatch.to_slack.leads import NO_THREAD
from bot.dispatch.to_slack.posting import FALLBACKS, posting
from bot.ladder import Say, Wait
from storage import businesses, leads, outbox, reminders, states, threads
from storage.database import Transaction
from storage.models import Business, Lead

ON_DUTY, CHANNEL = 1, 2
"""From which step on the people on duty are called by name, and the channel sees it; the first is the thread's alone."""

LOOK_AGAIN = timedelta(minutes=10)
"""How long a setting that somebody changed meanwhile may go unnoticed."""

UNDER_WAY = NotYet(reason="answer_under_way", pause=timedelta(seconds=30))


async def remind(at: At) -> Prepared:
    """REMIND {since, step, snoozed}: one entry for each time that a customer begins to wait, or a snooze begins.

    It says the steps from `step` on, one after the other, and nothing any more once the customer was answered, waits
    since another time, was snoozed (again), or the lead is over or joined another one.
    """
    lead = await _waiting(at)
    if lead is None:
        return None
    business = await businesses.get(at.tx, lead.business_id)
    step = int(at.entry.payload["step"])
    if not at.maybe_done:  # one that may have been said is looked for as it was
        found = _turn(at, lead, business, step)
        if not isinstance(found, Say):
            return _until(found, at.now)
        if await reminders.answer_under_way(at.tx, leads.known(lead.id)):
            return UNDER_WAY
        step = found.step
        at = replace(at, entry=await outbox.amend(at.tx, at.entry, payload={**at.entry.payload, "step": step}))
    thread = await threads.of_lead(at.tx, lead.id)
    if thread is None:
        return NO_THREAD
    following = {name: value for name, value in at.entry.payload.items() if name not in FALLBACKS} | {"step": step + 1}

    async def then(_tx: Transaction, _answer: Answer, _now: datetime) -> More:
        return More(payload=following)

    return posting(at, await _post(at, lead, business, step), channel=thread.channel, thread=thread, then=then)


async def _waiting(at: At) -> Lead | None:
    """The lead, where its customer waits as they did when this entry was made."""
    lead, payload = await leads.get(at.tx, leads.known(at.entry.lead_id)), at.entry.payload
    if lead is None or lead.id != at.entry.lead_id or states.of(lead) in states.QUIET:
        return None
    meant = (_instant(payload["since"]), _instant(payload["snoozed"]) if payload.get("snoozed") else None)
    return lead if meant == (lead.waiting_since, lead.snoozed_until) else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _turn(at: At, lead: Lead, business: Business | None, step: int) -> Say | Wait | None:
    """By the settings as they are now: what is due."""
    if lead.snoozed_until is not None and lead.snoozed_until > at.now:
        return Wait(until=lead.snoozed_until)
    settings = at.services.settings
    zone = zones.of_lead(lead, business, always=settings.time_zone)
    return ladder.turn(
        policies.remind_after(settings, business),
        following=step,
        since=_instant(at.entry.payload["since"]),
        now=at.now,
        hours=hours.Hours.of(business.hours if business else None, zone),
    )


def _until(found: Wait | None, now: datetime) -> NotYet | None:
    return None if found is None else NotYet(reason=None, pause=min(found.until - now, LOOK_AGAIN))


async def _post(at: At, lead: Lead, business: Business | None, step: int) -> Post:
    is_private = await policies.hides(at.tx, at.services.settings, business)
    customer = None if is_private else await businesses.customer(at.tx, lead.customer_id)
    return reminder(
        Reminder(
            lead_id=leads.known(lead.id),
            name=visible(customer.name) if customer else None,
            waited=at.now - _instant(at.entry.payload["since"]),
            answered=lead.first_answer_at is not None,
            owner=lead.owner,
            ring=_ring(at, lead, business, step),
            in_channel=step >= CHANNEL,
            replies=await reply_rules.replies_go(at.desk, lead) in (RepliesGo.OUT, RepliesGo.QUIET),
            url=lead_views.page_of(at.services.settings, lead),
        )
    )


def _ring(at: At, lead: Lead, business: Business | None, step: int) -> tuple[str, ...]:
    """The people on duty, or whom new leads ring for."""
    if step < ON_DUTY:
        return ()
    return tuple((business.on_duty if business else None) or lead.ring or at.services.settings.slack_ring)
