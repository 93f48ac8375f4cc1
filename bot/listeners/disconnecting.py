"""Ending a connection and forgetting a business: `/thumbtack disconnect` and its window."""

from collections.abc import Sequence
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, choosing, stopping
from bot.blocks import disconnecting as blocks
from bot.blocks.disconnecting import Choice, Submitted
from bot.blocks.posts import Post
from bot.listeners import windows
from bot.listeners.verbs import Asked, Verb
from bot.reply_rules import Desk
from bot.services import Services
from storage import businesses, connections, erasing, leads
from storage.database import Transaction
from storage.models import Generation

log = structlog.get_logger()


async def disconnect(asked: Asked) -> Post | None:
    """Open the window; None where it stands."""
    services = asked.services
    async with services.database.reading() as tx:
        choices, chosen = await _choices(services, tx, asked.text)
    if not choices:
        return blocks.nothing_to_stop()
    view = blocks.confirm(choices, chosen=chosen, sealed_url=services.vault.seal(asked.response_url))
    return None if await windows.opened(services, asked.trigger_id, view) else blocks.did_not_open()


async def _choices(services: Services, tx: Transaction, text: str) -> tuple[Sequence[Choice], int | None]:
    """Every business that is known, those that are connected first, and the one that the person named."""
    environment = services.settings.thumbtack_environment
    connected = await connections.connected_businesses(tx, environment=environment)
    ids = {one.id for one in connected}
    known = [*connected, *(one for one in await businesses.listed(tx, environment=environment) if one.id not in ids)]
    named = choosing.business(known, text).business if text else None
    if named is not None and named not in known[: blocks.LISTED]:
        known = [named, *known]
    choices = [Choice(business_id=leads.known(one.id), name=one.name, is_connected=one.id in ids) for one in known]
    return choices, None if named is None else named.id


DISCONNECT = Verb(
    sentence="stops a business, and erases it if you want",
    usage=("disconnect", "disconnect BUSINESS"),
    run=disconnect,
    managers_only=True,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the window."""

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        refused = await access.refusal(services, team_id=team_id, user_id=user_id)
        wrong = refused.text if refused else await _submitted(services, view, team_id=team_id, user_id=user_id)
        await (ack(response_action="errors", errors={blocks.HOW: wrong}) if wrong else ack())

    app.view(blocks.CALLBACK)(on_submit)


async def _submitted(services: Services, view: dict[str, Any], *, team_id: str, user_id: str) -> str | None:
    """Store what was chosen and queue it; returns what is wrong with it."""
    wanted = blocks.submitted(view)
    async with services.database.transaction() as tx:
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        business = await businesses.get(tx, wanted.business_id)
        if business is None or wanted.how not in (blocks.KEEP, blocks.ERASE):
            return blocks.GONE
        wrong = await _why_not(tx, wanted)
        if wrong is not None:
            return wrong
        await stopping.stop(
            desk,
            business,
            team_id=team_id,
            user=user_id,
            sealed_url=blocks.sealed_url(view) or None,
            erase=wanted.how == blocks.ERASE,
        )
    log.info("disconnected", business_id=wanted.business_id, user_id=user_id, how=wanted.how)
    return None


async def _why_not(tx: Transaction, wanted: Submitted) -> str | None:
    """One effect, however often it is submitted and by however many."""
    for generation in Generation:
        if await connections.of_business(tx, wanted.business_id, generation) is not None:
            return None
    if wanted.how == blocks.KEEP:
        return blocks.NOT_CONNECTED
    return blocks.ERASED_SOON if await erasing.pending(tx, wanted.business_id) is not None else None
