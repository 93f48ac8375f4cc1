"""Who has a lead and what became of it: the buttons of its card and the two windows behind them.

Anybody of the team may hand over or release: it is on the record, and in the thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, policies
from bot.blocks import leads as lead_blocks
from bot.blocks import working as blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.listeners import acting, windows
from bot.services import Services
from storage import businesses, cards, leads, outbox, owning, states, threads, waiting
from storage.database import Transaction
from storage.models import Lead, LeadOutcome
from storage.outbox import Kind, slack_lane

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Press:
    """Somebody changes how a lead stands; `lead` is theirs to change until the transaction ends."""

    services: Services
    tx: Transaction
    lead: Lead
    user: str

    async def changed(self, what: str, **said: Any) -> None:
        """Bring the card up to date; `said`: what the line in the thread tells, where there is to be one."""
        now, lead_id = self.services.clock(), leads.known(self.lead.id)
        await cards.update(self.tx, lead_id, now=now)
        log.info("lead_worked", what=what, lead_id=lead_id)
        thread = await threads.of_lead(self.tx, lead_id) if said else None
        if thread is not None:
            await outbox.enqueue(
                self.tx,
                Kind.POST_WORKED,
                now=now,
                lane=slack_lane(lead_id),
                channel=thread.channel,
                lead_id=lead_id,
                payload={"what": what, **said},
            )


async def _claim(press: Press) -> Post | None:
    if states.of(press.lead) in states.FINISHED:
        return blocks.over()
    owned = owning.claim(press.tx, press.lead, user=press.user, now=press.services.clock())
    if owned.before is not None:
        return blocks.yours() if owned.before == press.user else blocks.taken(owned.before)
    await press.changed("claimed")
    return None


async def _release(press: Press) -> Post | None:
    if states.of(press.lead) in states.FINISHED:
        return blocks.over()
    owned = owning.release(press.tx, press.lead, user=press.user, now=press.services.clock())
    if owned.before is None:
        return blocks.nobodys()
    await press.changed("released", by=press.user, before=owned.before)
    return None


async def _elsewhere(press: Press) -> Post | None:
    """Who reached the customer has the lead from then on, if nobody else has it."""
    now = press.services.clock()
    if states.of(press.lead) in states.FINISHED:
        return blocks.over()
    if not owning.elsewhere(press.tx, press.lead, user=press.user, now=now):
        return blocks.nothing_waits()
    owning.claim(press.tx, press.lead, user=press.user, now=now)
    await press.changed("elsewhere", by=press.user)
    return None


async def _lost(press: Press) -> Post | None:
    now = press.services.clock()
    if press.lead.outcome not in (None, LeadOutcome.LOST):
        return blocks.over()
    if not owning.finish(press.tx, press.lead, LeadOutcome.LOST, user=press.user, now=now):
        return blocks.known()
    await press.changed("lost", by=press.user)
    return None


async def _reopen(press: Press) -> Post | None:
    now, settings = press.services.clock(), press.services.settings
    if not owning.reopen(press.tx, press.lead, user=press.user, now=now):
        return blocks.known()
    await waiting.again(press.tx, press.lead, by_default=bool(settings.remind_after_minutes), now=now)
    await press.changed("reopened", by=press.user)
    return None


Deed = Callable[[Press], Awaitable[Post | None]]
DEEDS: Mapping[str, Deed] = {
    "lead_claim": _claim,
    "lead_release": _release,
    "lead_elsewhere": _elsewhere,
    "lead_lost": _lost,
    "lead_reopen": _reopen,
}
"""What each button does, and what who pressed it is told alone, where that is not to be seen anyway."""


def _handover_window(lead: Lead, headline: str | None) -> dict[str, Any]:
    return blocks.handover_window(leads.known(lead.id), headline=headline, owner=lead.owner)


def _won_window(lead: Lead, headline: str | None) -> dict[str, Any]:
    return blocks.won_window(leads.known(lead.id), headline=headline, cents=lead.won_cents)


WINDOWS: Mapping[str, Callable[[Lead, str | None], dict[str, Any]]] = {
    "lead_handover": _handover_window,
    "lead_won": _won_window,
}
"""What each other button opens, of a lead and what its card is headed with."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons and the windows."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await pressed(services, body, action, team_id=context.team_id)
        await ack()

    async def on_open(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await opened(services, body, action, team_id=context.team_id)
        await ack()

    async def on_handover(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        wrong = await handed_over(services, view, user=body["user"]["id"], team_id=context.team_id)
        await (ack(response_action="errors", errors={blocks.TO: wrong}) if wrong else ack())

    async def on_won(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        wrong = await won(services, view, user=body["user"]["id"], team_id=context.team_id)
        await (ack(response_action="errors", errors={blocks.AMOUNT: wrong}) if wrong else ack())

    for action_id in DEEDS:
        app.action(action_id)(on_press)
    for action_id in WINDOWS:
        app.action(action_id)(on_open)
    app.view("handover_modal")(on_handover)
    app.view("won_modal")(on_won)


async def pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str | None) -> None:
    """A button that changes something at once."""
    if await acting.is_refused(services, body, team_id=team_id):
        return
    async with services.database.transaction() as tx:
        lead = await leads.to_change(tx, row_id(action.get("value")))
        if lead is None or not await _is_pressed_on(tx, lead, body, team_id=team_id):
            told: Post | None = blocks.gone()
        else:
            press = Press(services=services, tx=tx, lead=lead, user=body["user"]["id"])
            told = await DEEDS[action["action_id"]](press)
        if told is not None:
            await acting.whisper(tx, services, body, told)


async def opened(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str | None) -> None:
    """A button that asks something first."""
    if await acting.is_refused(services, body, team_id=team_id):
        return
    async with services.database.reading() as tx:
        lead = await leads.get(tx, row_id(action.get("value")))
        if lead is not None and not await _is_pressed_on(tx, lead, body, team_id=team_id):
            lead = None
        view = None if lead is None else WINDOWS[action["action_id"]](lead, await _headline(services, tx, lead))
    if view is not None and await windows.opened(services, body.get("trigger_id"), view):
        return
    async with services.database.transaction() as tx:
        await acting.whisper(tx, services, body, blocks.gone() if view is None else blocks.did_not_open())


async def _headline(services: Services, tx: Transaction, lead: Lead) -> str | None:
    """What the card is headed with; nothing of a lead whose content stands behind its Open button."""
    business = await businesses.get(tx, lead.business_id)
    hidden = await policies.hides(tx, services.settings, business)
    return None if hidden else lead_blocks.headline(lead)


async def _is_pressed_on(tx: Transaction, lead: Lead, body: Mapping[str, Any], *, team_id: str | None) -> bool:
    """Whether the button is of this lead and workspace: a database may give the id of an erased lead to a new one.

    What only one person sees, a direct message, and a card whose lead has no thread yet cannot be compared.
    """
    thread = await threads.of_lead(tx, lead.id)
    if thread is None:
        return True
    place = body.get("container") or {}
    channel, ts = str(place.get("channel_id") or ""), place.get("thread_ts") or place.get("message_ts")
    if thread.team_id != team_id:
        return False
    if place.get("type") != "message" or place.get("is_ephemeral") or channel.startswith("D"):
        return True
    below = await threads.at(tx, team_id=thread.team_id, channel=channel, ts=str(ts))
    found = None if below is None else await leads.get(tx, below.lead_id)
    return found is not None and found.id == lead.id


async def handed_over(services: Services, view: Mapping[str, Any], *, user: str, team_id: str | None) -> str | None:
    """Give the lead to whom the window says; returns what is wrong."""
    to = blocks.chosen(view)
    if to is None:
        return blocks.CHOOSE
    wrong = await _not_allowed(services, user, to, team_id=team_id)
    if wrong is not None:
        return wrong
    async with services.database.transaction() as tx:
        lead = await leads.to_change(tx, row_id(view.get("private_metadata")))
        if lead is None:
            return blocks.GONE
        if states.of(lead) in states.FINISHED:
            return blocks.OVER
        if not owning.hand_over(tx, lead, to=to, user=user, now=services.clock()).changed:
            return blocks.HAS_IT
        await Press(services=services, tx=tx, lead=lead, user=user).changed("handed_over", to=to, by=user)
    return None


async def _not_allowed(services: Services, user: str, to: str, *, team_id: str | None) -> str | None:
    """Who hands over must be allowed to, and so must whom it goes to; of them Slack may be silent."""
    refused, may_have_it = await asyncio.gather(
        acting.refusal(services, user, team_id=team_id),
        access.may_work(services, team_id=team_id or "", user_id=to),
    )
    if refused is not None:
        return refused.text
    return blocks.CANNOT_HAVE if may_have_it is False else None


async def won(services: Services, view: Mapping[str, Any], *, user: str, team_id: str | None) -> str | None:
    """The lead became a job; returns what is wrong with the amount, or why nothing was changed."""
    cents, is_readable = blocks.amount(view)
    if not is_readable:
        return blocks.NO_AMOUNT
    refused = await acting.refusal(services, user, team_id=team_id)
    if refused is not None:
        return refused.text
    async with services.database.transaction() as tx:
        lead = await leads.to_change(tx, row_id(view.get("private_metadata")))
        if lead is None:
            return blocks.GONE
        if owning.finish(tx, lead, LeadOutcome.WON, user=user, now=services.clock(), cents=cents):
            press = Press(services=services, tx=tx, lead=lead, user=user)
            await press.changed("won", by=user, cents=cents)
    return None
