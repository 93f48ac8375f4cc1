"""What is connected, what is paused, what waits, and what was changed last: for everybody, since no customer is in it."""

from datetime import timedelta

from slack_bolt.async_app import AsyncApp

from bot import access, features
from bot.blocks import status as blocks
from bot.blocks.posts import Post
from bot.listeners.verbs import Asked, Verb
from bot.services import Services
from storage import connections, managers, overview
from storage.database import Transaction
from storage.models import Connection
from storage.overview import Standing


async def status(asked: Asked) -> Post:
    """The page, read from the database alone."""
    async with asked.services.database.reading() as tx:
        return blocks.page(await _view(asked.services, tx, asked.team_id))


STATUS = Verb(sentence="shows what is connected, paused, waiting, and changed last", usage=("status",), run=status)


def register(app: AsyncApp, services: Services) -> None:
    """Nothing on the page can be pressed."""


async def _view(services: Services, tx: Transaction, team_id: str) -> blocks.StatusView:
    environment = services.settings.thumbtack_environment
    standings = await overview.standings(tx, environment=environment)
    shown = [one for one in standings if one.connections or one.erasure]
    changes, earlier = await overview.changes(tx, team_id=team_id, limit=blocks.CHANGES)
    return blocks.StatusView(
        environment=environment,
        businesses=[_business(services, one) for one in shown],
        unclear=await connections.without_business(tx, environment=environment, team_id=team_id),
        others=[one.business for one in standings if one not in shown],
        others_answered=services.thumbtack.can_send_v1,
        keepers=await access.keepers_of(services, tx, team_id),
        allowed=await managers.listed(tx, team_id),
        backlog=await overview.backlog(tx, now=services.clock()),
        changes=changes,
        earlier=earlier,
        names={one.business.id or 0: blocks.name_of(one.business) for one in standings},
    )


def _business(services: Services, standing: Standing) -> blocks.BusinessView:
    return blocks.BusinessView(
        business=standing.business,
        connections=[_connected(services, one) for one in standing.connections],
        targeting=standing.targeting,
        erasure=standing.erasure,
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
