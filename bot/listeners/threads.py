"""What Slack tells of messages in the threads of leads: each event goes to whoever takes them in, however they are heard of."""

from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.services import Services
from bot.thread_news import ThreadNews, part


def register(app: AsyncApp, services: Services) -> None:
    """Listen to messages of channels, public and private."""

    async def on_message(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext) -> None:
        news = ThreadNews(services=services, team_id=context.team_id or "", bot_user_id=_bot_user_id(services, body))
        await _tell(news, event)

    app.event("message")(on_message)


async def _tell(news: ThreadNews, event: dict[str, Any]) -> None:
    """Take in an event: stored before Slack hears 200, whatever becomes of it."""
    inner, before, channel = part(event, "message"), part(event, "previous_message"), event.get("channel")
    match event.get("subtype"):
        case "message_deleted":
            await news.deleted(channel, event.get("deleted_ts"), before)
        case "message_changed" if inner.get("subtype") == "tombstone":
            await news.deleted(channel, inner.get("ts"), before)
        case "message_changed":
            await news.changed(channel, inner, changed_ts=event.get("ts"))
        case _:
            await news.said(channel, event)


def _bot_user_id(services: Services, body: dict[str, Any]) -> str | None:
    """Our own user, also before Slack's API told us: an event names the user of the bot that it is meant for."""
    identity = services.slack.known_identity
    if identity is not None:
        return identity.user_id
    authorizations = body.get("authorizations") or [{}]
    return authorizations[0].get("user_id") if authorizations[0].get("is_bot") else None
