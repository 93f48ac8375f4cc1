"""The Home tab: who opens it or turns a page gets it made anew, and its buttons open the settings and the status page."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers
from bot.blocks import home as blocks
from bot.blocks import settings as settings_blocks
from bot.blocks.posts import Post
from bot.listeners import settings, status, windows
from bot.listeners.verbs import Asked
from bot.services import Services
from storage import homes


def register(app: AsyncApp, services: Services) -> None:
    """Listen to who opens the tab, and to its buttons."""

    async def on_opened(event: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home" and event.get("user"):
            await _show(services, str(event["user"]), blocks.Pages())

    async def on_turn(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await _show(services, str(body["user"]["id"]), blocks.pages_of(action.get("value")))
        await ack()

    async def on_status(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        asked = _asked(services, body, context)
        view = blocks.status_window(await status.status(asked))
        if not await windows.opened(services, asked.trigger_id, view):
            await _tell(services, asked, blocks.did_not_open("status"))
        await ack()

    async def on_settings(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await _open_settings(services, _asked(services, body, context))
        await ack()

    app.event("app_home_opened")(on_opened)
    for action_id in (blocks.FORTH, blocks.BACK, blocks.REFRESH):
        app.action(action_id)(on_turn)
    app.action(blocks.STATUS)(on_status)
    app.action(blocks.SETTINGS)(on_settings)


async def _show(services: Services, user_id: str, pages: blocks.Pages) -> None:
    async with services.database.transaction() as tx:
        await homes.show(tx, user=user_id, pages=pages.value, now=services.clock())


def _asked(services: Services, body: dict[str, Any], context: AsyncBoltContext) -> Asked:
    """What was pressed, as if it had been typed; there is no response_url on the tab."""
    return Asked(
        services=services,
        team_id=context.team_id or "",
        user_id=str(body["user"]["id"]),
        text="",
        response_url="",
        trigger_id=str(body.get("trigger_id") or ""),
    )


async def _open_settings(services: Services, asked: Asked) -> None:
    refused = await access.refusal(services, team_id=asked.team_id, user_id=asked.user_id)
    if refused is not None:
        await windows.opened(services, asked.trigger_id, settings_blocks.refused_window(refused))
        return
    not_opened = await settings.settings(asked)
    if not_opened is not None:
        await _tell(services, asked, not_opened)


async def _tell(services: Services, asked: Asked, post: Post) -> None:
    async with services.database.transaction() as tx:
        await answers.tell(tx, services.vault, user=asked.user_id, post=post, now=services.clock())
