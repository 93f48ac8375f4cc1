"""Since when a customer waits for an answer, and the entry that reminds the team of it.

The reminder is one entry of the outbox for each time a customer begins to wait. What it says when, and to whom, is read
when it is due (`bot.dispatch.to_slack.reminding`): settings, snoozing and answers since then all count.
"""

from datetime import datetime, timedelta

from storage import businesses, leads, messages, outbox, states
from storage.database import Transaction
from storage.models import Environment, Lead
from storage.outbox import Kind

FIRST_LOOK = timedelta(minutes=1)
"""No step of the ladder can be shorter, so until then there is nothing to look at."""


async def began(tx: Transaction, lead: Lead, *, by_default: bool, now: datetime) -> bool:
    """The customer asked, or wrote: they wait for us from now on; False where they waited already.

    `by_default`: whether a business that chose nothing is reminded.
    """
    if lead.waiting_since is not None or not _is_worked(lead):
        return False
    await leads.change(tx, lead, waiting_since=now, snoozed_until=None)
    business = await businesses.get(tx, lead.business_id)
    if not (by_default if business is None or business.remind_after is None else business.remind_after):
        return True
    payload = {"since": now.isoformat(), "step": 0}
    await outbox.enqueue(
        tx, Kind.REMIND, now=now, lead_id=leads.known(lead.id), payload=payload, due_at=now + FIRST_LOOK
    )
    return True


async def again(tx: Transaction, lead: Lead, *, by_default: bool, now: datetime) -> bool:
    """It is not over after all: they wait from now on, unless what they wrote last was answered."""
    asked_at = await messages.asked_at(tx, leads.known(lead.id)) or lead.received_at
    if asked_at is None or await leads.answered_since(tx, lead, asked_at):
        return False
    return await began(tx, lead, by_default=by_default, now=now)


def _is_worked(lead: Lead) -> bool:
    """Not a test, nor over: a thank-you after the end needs no answer."""
    return not lead.is_test and lead.environment == Environment.PRODUCTION and states.of(lead) not in states.QUIET


def ended(lead: Lead) -> None:
    """They were answered, or it is over: what would have reminded says nothing when it is due."""
    lead.waiting_since = lead.snoozed_until = None
