"""The automatic first reply of each business: its window in the settings."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, contact_data, placeholders, policies
from bot.blocks import settings as settings_blocks
from bot.blocks import settings_first as blocks
from bot.blocks import settings_saved
from bot.blocks.reading import row_id
from bot.blocks.settings_first import Choice, First, Submitted
from bot.listeners import windows
from bot.notes import Disposition, disposition
from bot.placeholders import Placeholder
from bot.services import Services
from storage import businesses, first_replies, leads
from storage.database import Transaction
from storage.first_replies import When
from storage.models import Business, ContactData, Environment
from webhooks.thumbtack.payloads.text import storable

Refresh = Callable[[Services, dict[str, Any], str], Awaitable[None]]
"""Brings the list up to date on top of which the window stands."""

log = structlog.get_logger()


def register(app: AsyncApp, services: Services, refresh: Refresh) -> None:
    """Listen to the button in the list of saved replies, and to the window."""

    async def on_open(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        view = await _allowed_window(services, body, 0, team_id=context.team_id or "")
        await windows.pushed(services, body.get("trigger_id"), view)
        await ack()

    async def on_pick(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        chosen = row_id((action.get("selected_option") or {}).get("value"))
        view = await _allowed_window(services, body, chosen, team_id=context.team_id or "")
        await windows.updated(services, body.get("view") or {}, view)
        await ack()

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        wrong = await _submitted(services, blocks.submitted(view), team_id=team_id, user_id=user_id)
        if wrong:
            await ack(response_action="errors", errors=wrong)
            return
        await refresh(services, view, team_id)
        await ack()

    app.action("first_open")(on_open)
    app.action(blocks.BUSINESS)(on_pick)
    app.view(blocks.FORM)(on_submit)


async def _allowed_window(
    services: Services, body: dict[str, Any], business_id: int, *, team_id: str
) -> dict[str, Any]:
    """The window about this business, or the first there is; who may not change things any more is told so instead."""
    refused = await access.refusal(services, team_id=team_id, user_id=body["user"]["id"])
    if refused is not None:
        return settings_blocks.refused_window(refused)
    async with services.database.reading() as tx:
        known = await businesses.listed(tx, Environment.PRODUCTION)
    first = known[0] if known else None
    shown = next((one for one in known if one.id == business_id), first)
    choices = [Choice(business_id=leads.known(one.id), name=one.name) for one in known]
    return blocks.window(choices, None if shown is None else _as_set(shown))


def _as_set(business: Business) -> First:
    when = When(business.first_reply_when or When.ALWAYS) if business.first_reply else When.OFF
    return First(business_id=leads.known(business.id), text=business.first_reply or "", when=when)


async def _submitted(services: Services, wanted: Submitted, *, team_id: str, user_id: str) -> dict[str, str]:
    """Store what was chosen; returns what is wrong with it, by the input."""
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        return {blocks.WHEN: refused.text}
    async with services.database.transaction() as tx:
        business = await businesses.get(tx, wanted.business_id)
        if business is None or business.environment != Environment.PRODUCTION:
            return {blocks.WHEN: blocks.GONE}
        if wanted.when is None:
            return {blocks.WHEN: blocks.CHOOSE}
        if wanted.when is not When.OFF and (wrong := await _wrong(services, tx, business, wanted)):
            return wrong
        first_replies.choose(
            tx,
            business,
            text=storable(wanted.text),
            when=wanted.when,
            team_id=team_id,
            actor=user_id,
            now=services.clock(),
        )
    log.info("first_reply_set", business_id=wanted.business_id, when=wanted.when, user_id=user_id)
    return {}


async def _wrong(services: Services, tx: Transaction, business: Business, wanted: Submitted) -> dict[str, str]:
    """What keeps a first reply from being switched on like this."""
    if wanted.when in (When.OPEN, When.CLOSED) and business.hours is None:
        return {blocks.WHEN: blocks.NO_HOURS}
    if odd := placeholders.unknown(wanted.text):
        return {blocks.TEXT: settings_saved.unknown(odd, blocks.FILLED)}
    if Placeholder.MY_NAME in placeholders.used(wanted.text):
        return {blocks.TEXT: blocks.NO_SENDER}
    least = placeholders.filled(wanted.text, {Placeholder.BUSINESS: business.name})  # nothing is known of the lead
    if disposition(least, None, files=False, quiet=False) is not Disposition.SEND:
        return {blocks.TEXT: blocks.NO_PROSE}
    channel = business.channel or services.settings.slack_leads_channel
    policy = await policies.of_channel(tx, services.settings, channel)
    if policy.contact_data is not ContactData.OFF and contact_data.carries(least):
        return {blocks.TEXT: blocks.CARRIES}
    return {}
