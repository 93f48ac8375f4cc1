"""Putting a reminder off: the Snooze menu below it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import answers, zones
from bot.blocks import deliveries
from bot.blocks import reminders as blocks
from bot.blocks.reading import row_id
from bot.errors import Reason
from bot.hours import Hours
from bot.listeners import acting
from bot.services import Services
from storage import businesses, reminders
from storage import leads as lead_rows
from storage.database import Transaction
from storage.models import Lead

HOUR = timedelta(hours=1)

log = structlog.get_logger()


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the menu."""

    async def on_snooze(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        if not await acting.is_refused(services, body, team_id=context.team_id):
            await snoozed(services, body, action)
        await ack()

    app.action("lead_snooze")(on_snooze)


async def snoozed(services: Services, body: dict[str, Any], action: Mapping[str, Any]) -> None:
    """Nobody is reminded for a while, and the reminder says who chose so; else the person alone is told why not."""
    user, url = body["user"]["id"], body.get("response_url")
    choice, _, lead_id = str((action.get("selected_option") or {}).get("value") or "").partition(":")
    async with services.database.transaction() as tx:
        now = services.clock()
        lead = await lead_rows.to_change(tx, row_id(lead_id))
        until = None if lead is None else await _until(services, tx, lead, choice, now)
        if lead is None:
            post = deliveries.cannot(Reason.NO_LEAD)
        elif until is None or not await reminders.snooze(tx, lead, until=until, user=user, now=now):
            post, until = blocks.nobody_waits(), None
        else:
            post = blocks.snoozed(user, until)
            log.info("lead_snoozed", lead_id=lead.id)
        if url:
            await answers.enqueue(tx, services.vault, url=url, post=post, now=now, replace=until is not None)


async def _until(services: Services, tx: Transaction, lead: Lead, choice: str, now: datetime) -> datetime | None:
    """Until when; None for a business that never opens."""
    if choice != blocks.WORKING_DAY:
        return now + HOUR
    business = await businesses.get(tx, lead.business_id)
    zone = zones.of_lead(lead, business, always=services.settings.time_zone)
    return Hours.of(business.hours if business else None, zone).next_working_day(now)
