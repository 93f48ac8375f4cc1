"""What Slack tells of channels, of the app itself and of people: the work goes on elsewhere, or waits."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot import lifecycle
from bot.lifecycle import Closed
from bot.services import Services
from storage import channels, news, outbox, routing, threads
from storage.database import Transaction
from storage.outbox import Kind

log = structlog.get_logger()

Event = dict[str, Any]

CLOSING: Mapping[str, Closed] = {
    "channel_archive": Closed.ARCHIVED,
    "group_archive": Closed.ARCHIVED,
    "channel_deleted": Closed.DELETED,
    "group_deleted": Closed.DELETED,
    "channel_left": Closed.REMOVED,
    "group_left": Closed.REMOVED,
}
"""Events that end posting to a channel (docs.slack.dev/reference/events); their `channel` is its id."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to what happens around the app."""
    _register_channels(app, services)

    async def on_uninstalled(event: Event) -> None:
        async with services.database.transaction() as tx:
            await lifecycle.cut_off(tx, reason=event["type"], now=services.clock())

    async def on_revoked(event: Event, body: Event) -> None:
        tokens = event.get("tokens")
        if not isinstance(tokens, dict) or not _is_ours(services, body, tokens.get("bot") or ()):
            return  # some person's own token
        await on_uninstalled(event)

    async def on_person(event: Event) -> None:
        user = event.get("user") or {}
        if isinstance(user, dict) and user.get("deleted") and isinstance(user.get("id"), str):
            async with services.database.transaction() as tx:
                await lifecycle.person_left(tx, user["id"], now=services.clock())

    app.event("app_uninstalled")(on_uninstalled)
    app.event("tokens_revoked")(on_revoked)
    app.event("user_change")(on_person)


def _register_channels(app: AsyncApp, services: Services) -> None:
    async def on_closed(event: Event, context: AsyncBoltContext) -> None:
        await closed(services, event, CLOSING[event["type"]], team_id=context.team_id or "")

    async def on_left(event: Event, body: Event, context: AsyncBoltContext) -> None:
        if _is_ours(services, body, (event.get("user"),)):
            await closed(services, event, Closed.REMOVED, team_id=context.team_id or "")

    async def on_open(event: Event, context: AsyncBoltContext) -> None:
        async with services.database.transaction() as tx:
            team_id, now = context.team_id or "", services.clock()
            await lifecycle.channel_mended(tx, str(event.get("channel")), team_id=team_id, now=now)

    async def on_joined(event: Event, body: Event, context: AsyncBoltContext) -> None:
        if _is_ours(services, body, (event.get("user"),)):
            await invited(services, event, team_id=context.team_id or "")

    app.event("channel_archive")(on_closed)
    app.event("group_archive")(on_closed)
    app.event("channel_deleted")(on_closed)
    app.event("group_deleted")(on_closed)
    app.event("channel_left")(on_closed)
    app.event("group_left")(on_closed)
    app.event("member_left_channel")(on_left)
    app.event("channel_unarchive")(on_open)
    app.event("group_unarchive")(on_open)
    app.event("member_joined_channel")(on_joined)


async def closed(services: Services, event: Event, why: Closed, *, team_id: str) -> None:
    """Nothing can be posted to a channel any more; of one that leads never went to, nothing is kept."""
    channel = event.get("channel")
    async with services.database.transaction() as tx:
        if isinstance(channel, str) and await _concerns_us(services, tx, channel, team_id=team_id):
            await lifecycle.channel_closed(tx, services, channel, team_id=team_id, why=why, now=services.clock())


async def invited(services: Services, event: Event, *, team_id: str) -> None:
    """The bot came into a channel: what waited for that goes on, and a channel that is not in use is offered to be."""
    channel, event_ts = str(event.get("channel")), str(event.get("event_ts") or "")
    async with services.database.transaction() as tx:
        now = services.clock()
        await lifecycle.channel_mended(tx, channel, team_id=team_id, now=now)
        if await _concerns_us(services, tx, channel, team_id=team_id):
            return
        if await news.was_offered(tx, channel, event_ts=event_ts):
            return
        await channels.choose(tx, team_id=team_id, channel=channel)  # the button names the row
        payload = {"event_ts": event_ts, "by": event.get("inviter")}
        await outbox.enqueue(tx, Kind.OFFER_CHANNEL, now=now, channel=channel, payload=payload)


async def _concerns_us(services: Services, tx: Transaction, channel: str, *, team_id: str) -> bool:
    """Whether leads go, or went, to a channel."""
    return (
        channel == services.settings.slack_leads_channel
        or await routing.is_used(tx, channel)
        or await threads.any_in(tx, team_id=team_id, channel=channel)
    )


def _is_ours(services: Services, body: Mapping[str, Any], users: Any) -> bool:
    """Whether our own user is among these, also before Slack's API told us who that is."""
    identity = services.slack.known_identity
    ours = {identity.user_id} if identity else {one.get("user_id") for one in body.get("authorizations") or ()}
    return any(isinstance(user, str) and user in ours for user in users)
