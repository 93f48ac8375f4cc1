"""The Saved replies button on a card: the reply window with a saved reply in it, filled in for this lead.

What is submitted is a reply like any other (`bot.listeners.views`): the same checks, and who answers first has the lead.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import placeholders, policies
from bot.blocks import deliveries, modals, saved
from bot.blocks.reading import row_id
from bot.blocks.saved import Choice, Chosen
from bot.errors import Reason
from bot.failures import Failure
from bot.listeners import acting, actions, windows
from bot.placeholders import Placeholder
from bot.services import Services
from bot.settings import Settings
from storage import businesses, leads, saved_replies
from storage.database import Transaction
from storage.models import Lead, SavedReply

NAME_WITHIN = 0.7
"""Seconds that Slack gets to say what the writer is called: the window's trigger dies in 3 s."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who looks at the window, and which saved reply they chose; 0 for the first there is. `turn` as in `saved.Chosen`."""

    team_id: str
    user_id: str
    reply_id: int = 0
    turn: str = ""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button, and to the menu in the window."""

    async def on_saved(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        visit = Visit(team_id=context.team_id or "", user_id=body["user"]["id"], turn=str(action.get("action_ts")))
        if not await acting.is_refused(services, body, team_id=context.team_id):
            await opened(services, body, lead_id=row_id(action.get("value")), visit=visit)
        await ack()

    async def on_pick(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        visit = Visit(
            team_id=context.team_id or "",
            user_id=body["user"]["id"],
            reply_id=row_id((action.get("selected_option") or {}).get("value")),
            turn=str(action.get("action_ts")),
        )
        await picked(services, body, visit)
        await ack()

    app.action("lead_saved")(on_saved)
    app.action(saved.PICK)(on_pick)


async def opened(services: Services, body: dict[str, Any], *, lead_id: int, visit: Visit) -> None:
    """Show the window, or say why not."""
    view = await _window(services, lead_id, visit)
    if view is not None and await windows.opened(services, body.get("trigger_id"), view):
        return
    told = deliveries.cannot(Reason.NO_LEAD) if view is None else modals.did_not_open()
    async with services.database.transaction() as tx:
        await acting.whisper(tx, services, body, told)


async def picked(services: Services, body: dict[str, Any], visit: Visit) -> None:
    """Another saved reply takes the place of the text."""
    window = body.get("view") or {}
    view = await _window(services, row_id(window.get("private_metadata")), visit)
    if view is not None:
        await windows.updated(services, window, view)


async def _window(services: Services, lead_id: int, visit: Visit) -> dict[str, Any] | None:
    async with services.database.reading() as tx:
        lead = await leads.get(tx, lead_id)
        if lead is None:
            return None
        view = await actions.reply_view(services, tx, lead, to=visit.user_id)
        listed = await saved_replies.listed(tx, visit.team_id)
        values = await _values(tx, services.settings, lead)
    chosen = _chosen(listed, visit)
    if chosen is None:
        return saved.with_saved(view, [], None)
    if Placeholder.MY_NAME in placeholders.used(chosen.text):
        values[Placeholder.MY_NAME] = await _my_name(services, visit.user_id)
    text = placeholders.filled(chosen.text, values)
    choices = [Choice(reply_id=leads.known(one.id), name=one.name) for one in listed]
    return saved.with_saved(view, choices, Chosen(reply_id=leads.known(chosen.id), text=text, turn=visit.turn))


def _chosen(listed: Sequence[SavedReply], visit: Visit) -> SavedReply | None:
    """The one that was chosen; the first where that is gone, or none was chosen yet."""
    first = listed[0] if listed else None
    return next((one for one in listed if one.id == visit.reply_id), first)


async def _values(tx: Transaction, settings: Settings, lead: Lead) -> dict[Placeholder, str | None]:
    """What is known of a lead, by the placeholder that stands for it; of a private one nothing that the customer said."""
    customer = await businesses.customer(tx, lead.customer_id)
    business = await businesses.get(tx, lead.business_id)
    known = placeholders.of_lead(lead, customer, business)
    hidden = await policies.hides(tx, settings, business)
    return {Placeholder.BUSINESS: known[Placeholder.BUSINESS]} if hidden else known


async def _my_name(services: Services, user_id: str) -> str | None:
    """The writer's first name; None where Slack does not say in time: they see that it is missing."""
    try:
        async with asyncio.timeout(NAME_WITHIN):
            return await services.slack.first_name(user_id)
    except (Failure, TimeoutError):
        return None
