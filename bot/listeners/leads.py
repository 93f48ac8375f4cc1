"""`/thumbtack leads`: finding leads, and turning the pages of what was found."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import answers, searches
from bot.blocks import found as blocks
from bot.blocks.posts import Post
from bot.listeners.verbs import Asked, Verb
from bot.searches import Asker
from bot.services import Services
from storage import outbox
from storage.outbox import Kind


async def leads(asked: Asked) -> Post:
    """The first page, read from the database; Slack is asked only in which channels the person is."""
    asker = Asker(team_id=asked.team_id, user_id=asked.user_id)
    return await searches.listing(asked.services, asker, searches.typed(asked.text, asker))


LEADS = Verb(sentence="finds leads: open, mine, unanswered, or by name, city or phone", usage=blocks.USAGE, run=leads)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons below a list."""

    async def on_turn(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await _turned(services, body, str(action.get("value") or ""), team_id=context.team_id or "")
        await ack()

    for action_id in (blocks.FORTH, blocks.BACK):
        app.action(action_id)(on_turn)


async def _turned(services: Services, body: dict[str, Any], value: str, *, team_id: str) -> None:
    """The dispatcher shows the page in place of this one: what is stored of it holds no customer's data."""
    user_id, url, now = str(body["user"]["id"]), str(body.get("response_url") or ""), services.clock()
    async with services.database.transaction() as tx:
        if searches.turned(services, value, Asker(team_id=team_id, user_id=user_id)) is None:
            await answers.enqueue(tx, services.vault, url=url, post=blocks.cannot_turn(), now=now, or_tell=user_id)
            return
        payload = {"url": services.vault.seal(url), "user": user_id, "team_id": team_id, "value": value}
        await outbox.enqueue(tx, Kind.SHOW_FOUND, now=now, priority=outbox.FIRST, payload=payload)
