"""The card of a lead that turned out to be another one: taken away, or turned into a pointer where people wrote."""

from datetime import datetime, timedelta

from bot.blocks.pointers import pointer
from bot.dispatch.plans import Answer, At, NotYet, Plan, Prepared, Settled
from bot.dispatch.to_slack.leads import hides, lead_of
from bot.dispatch.to_slack.posting import GONE, post_body
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure
from storage import erasing, joining, leads, threads
from storage.database import Transaction
from storage.models import Lead
from storage.posts import Place
from storage.threads import LeadThread

CARD_FIRST = NotYet(reason="no_thread", pause=timedelta(seconds=3))
"""The other lead's card does not stand yet: there is nothing to point to."""


async def point_to_lead(at: At) -> Prepared:
    """POINT_TO_LEAD: behind all that was being said when the lead joined another one. Who writes there still, is heard."""
    stays, joined_id = await lead_of(at), leads.known(at.entry.lead_id)
    await joining.follow(at.tx, joined_id, stays)
    thread, other = await threads.own(at.tx, joined_id), await threads.own(at.tx, stays.id)
    if thread is None:
        return None
    if other is None:
        return CARD_FIRST
    if await joining.was_written_under(at.tx, thread.channel, thread.ts):
        return _pointing(at, thread, other, stays, hidden=await hides(at, stays))
    await erasing.delete_posts(at.tx, [Place(channel=thread.channel, ts=thread.ts)], now=at.now)
    return None


def _pointing(at: At, thread: LeadThread, other: LeadThread, stays: Lead, *, hidden: bool) -> Plan:
    target = {"channel": other.channel, "message_ts": other.ts}
    place = {"channel": thread.channel, "ts": thread.ts}

    async def perform() -> Answer:
        found = await at.services.slack.call("chat.getPermalink", target)
        body = post_body(pointer(stays, found["permalink"], hidden=hidden), thread.delivery_id)
        return await at.services.slack.call("chat.update", place | body)

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        return Settled(reason=failure.reason) if failure.reason in GONE else verdict

    return Plan(perform=perform, failed=failed, channel=thread.channel)
