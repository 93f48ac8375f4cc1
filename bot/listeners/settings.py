"""`/thumbtack settings`: the list of what can be set in Slack, each part with a window of its own."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers
from bot.blocks import settings as blocks
from bot.blocks.posts import Post
from bot.listeners import settings_business, settings_channel, settings_people, settings_routes, settings_saved, windows
from bot.listeners.sections import Section, Visit
from bot.listeners.verbs import Asked, Verb
from bot.services import Services

SECTIONS: tuple[Section, ...] = (
    settings_channel.SECTION,
    settings_business.SECTION,
    settings_routes.SECTION,
    settings_saved.SECTION,
    settings_people.SECTION,
)


async def settings(asked: Asked) -> Post | None:
    """Open the list; None where it stands."""
    view = blocks.parts_window([(part.action_id, part.label, part.told) for part in SECTIONS], channel=asked.channel)
    return None if await windows.opened(asked.services, asked.trigger_id, view) else blocks.did_not_open()


SETTINGS = Verb(sentence="shows what can be set here", usage=("settings",), run=settings, managers_only=True)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of the list, and to what the parts themselves listen to."""

    async def on_open(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        section = next(part for part in SECTIONS if part.action_id == action["action_id"])
        await open_section(services, section, body, team_id=context.team_id or "")
        await ack()

    for section in SECTIONS:
        app.action(section.action_id)(on_open)
    settings_channel.register(app, services)
    settings_business.register(app, services)
    settings_saved.register(app, services)
    settings_routes.register(app, services)
    settings_people.register(app, services)


async def open_section(services: Services, section: Section, body: dict[str, Any], *, team_id: str) -> None:
    """Push a part's window, where this person may change things; else, or where that fails, say why in its place."""
    user_id, trigger_id = body["user"]["id"], body.get("trigger_id")
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        await windows.pushed(services, trigger_id, blocks.refused_window(refused))
        return
    channel = blocks.opened_from(body.get("view") or {})
    view = await section.window(Visit(services=services, team_id=team_id, user_id=user_id, channel=channel))
    if not await windows.pushed(services, trigger_id, view):
        async with services.database.transaction() as tx:
            post, now = blocks.did_not_open(), services.clock()
            await answers.tell(tx, services.vault, user=user_id, post=post, now=now)
