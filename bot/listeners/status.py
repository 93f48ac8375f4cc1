"""What is connected, what is paused, what waits, and what was changed last: for everybody, since no customer is in it.

Who may change things can have a business's webhook set right here, and have Thumbtack try it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers, features
from bot.blocks import status as blocks
from bot.blocks import webhooks as webhook_blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.blocks.webhooks import WebhookView
from bot.listeners.verbs import Asked, Verb
from bot.services import Services
from storage import businesses, connections, leads, managers, outbox, overview
from storage.database import Transaction
from storage.models import Business, Connection, ConnectionState, Environment, Generation
from storage.outbox import Kind, webhook_lane
from storage.overview import Standing
from webhooks import routes


async def status(asked: Asked) -> Post:
    """The page, read from the database alone; only for whom the buttons are may Slack be asked, and need not answer."""
    services = asked.services
    async with services.database.reading() as tx:
        has_v4 = await connections.connected_businesses(
            tx, environment=services.settings.thumbtack_environment, generation=Generation.V4
        )
    refused = not has_v4 or await access.refusal(services, team_id=asked.team_id, user_id=asked.user_id)
    async with services.database.reading() as tx:
        return blocks.page(await _view(services, tx, asked.team_id, may_press=not refused))


STATUS = Verb(sentence="shows what is connected, paused, waiting, and changed last", usage=("status",), run=status)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons."""
    for action_id in KINDS:

        async def on_press(
            ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
        ) -> None:
            await _pressed(services, body, action, team_id=context.team_id or "")
            await ack()

        app.action(action_id)(on_press)


KINDS: Mapping[str, Kind] = {webhook_blocks.REPAIR: Kind.SET_WEBHOOK, webhook_blocks.TEST: Kind.TEST_WEBHOOK}
"""What each button has the dispatcher do."""


async def _pressed(services: Services, body: Mapping[str, Any], action: Mapping[str, Any], *, team_id: str) -> None:
    user_id, url = str(body["user"]["id"]), str(body.get("response_url") or "")
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    async with services.database.transaction() as tx:
        business = await businesses.get(tx, row_id(action.get("value")))
        if refused is None and business is not None:
            business_id = leads.known(business.id)
            payload = {"business_id": business_id, "team_id": team_id, "user": user_id, "url": services.vault.seal(url)}
            await outbox.enqueue(
                tx,
                KINDS[action["action_id"]],
                now=services.clock(),
                lane=webhook_lane(business_id),
                priority=outbox.FIRST,
                payload=payload,
            )
        post = refused or _heard(business, action["action_id"])
        await answers.enqueue(tx, services.vault, url=url, post=post, now=services.clock(), or_tell=user_id)


def _heard(business: Business | None, action_id: str) -> Post:
    return webhook_blocks.gone() if business is None else webhook_blocks.asked(business, action_id=action_id)


async def _view(services: Services, tx: Transaction, team_id: str, *, may_press: bool) -> blocks.StatusView:
    environment = services.settings.thumbtack_environment
    standings = await overview.standings(tx, environment=environment)
    shown = [one for one in standings if one.connections or one.erasure]
    changes, earlier = await overview.changes(tx, team_id=team_id, limit=blocks.CHANGES)
    return blocks.StatusView(
        environment=environment,
        businesses=[_business(services, one, may_press=may_press) for one in shown],
        unclear=await connections.without_business(tx, environment=environment, team_id=team_id),
        others=[one.business for one in standings if one not in shown],
        others_answered=services.thumbtack.can_send_v1,
        keepers=await access.keepers_of(services, tx, team_id),
        allowed=await managers.listed(tx, team_id),
        backlog=await overview.backlog(tx, environment=environment, now=services.clock()),
        changes=changes,
        earlier=earlier,
        names={one.business.id or 0: blocks.name_of(one.business) for one in standings},
    )


def _business(services: Services, standing: Standing, *, may_press: bool) -> blocks.BusinessView:
    return blocks.BusinessView(
        business=standing.business,
        connections=[_connected(services, one) for one in standing.connections],
        targeting=standing.targeting,
        erasure=standing.erasure,
        webhook=_webhook(services, standing, may_press=may_press),
    )


def _webhook(services: Services, standing: Standing, *, may_press: bool) -> WebhookView | None:
    """None where the business is not connected to v4. Over a connection that is broken nothing can be set right."""
    found = [one for one in standing.connections if one.generation == Generation.V4]
    if not found:
        return None
    business = standing.business
    environment = Environment(business.environment)
    return WebhookView(
        row=standing.webhook,
        url=routes.address(services.settings.public_url, environment, business.thumbtack_id),
        lacks=features.lacks_webhooks(found[-1].scopes),
        may_press=may_press and found[-1].state == ConnectionState.ACTIVE,
    )


def _connected(services: Services, row: Connection) -> blocks.Connected:
    """`lapses_at`: without a refresh token when the access token ends, else when the refresh token does."""
    lifetime: timedelta = services.thumbtack.oauth(row.generation).lifetime
    renewed = row.refresh_token is not None and not services.tokens.is_shared(row.generation)
    return blocks.Connected(
        row=row,
        works=features.works(row.generation, row.scopes),
        lacks=features.lacks(row.generation, row.scopes),
        lapses_at=row.granted_at + lifetime if renewed else row.expires_at,
    )
