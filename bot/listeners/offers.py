"""The button "Post leads here" in a channel that the bot was invited to, and its window."""

import json
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers
from bot.blocks import offers as blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.listeners import windows
from bot.services import Services
from storage import audit, businesses, channels, routing, rules
from storage.database import Transaction
from storage.models import Business, Channel
from storage.vault import VaultError

log = structlog.get_logger()


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button and the window."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await pressed(services, body, action, team_id=context.team_id or "")
        await ack()

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        said = await submitted(services, view, user=body["user"]["id"], team_id=context.team_id or "")
        await (ack() if said is None else ack(response_action="errors", errors={blocks.WHICH: said}))

    app.action("channel_leads_here")(on_press)
    app.view("channel_leads_here")(on_submit)


async def pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """Show whose leads there are; or, to who may not decide it, whom to ask."""
    user, url = body["user"]["id"], str(body.get("response_url") or "")
    refused = await access.refusal(services, team_id=team_id, user_id=user)
    async with services.database.reading() as tx:
        channel = await channels.get(tx, row_id(action.get("value")))
        found = await businesses.listed(tx, services.settings.thumbtack_environment)
    if channel is None:
        return
    carried = json.dumps({"channel": channel.id, "url": services.vault.seal(url)})
    view = blocks.window(found, channel_id=channel.channel, carried=carried)
    if refused is not None:
        await _answer(services, user, url, refused)
    elif not await windows.opened(services, body.get("trigger_id"), view):
        await _answer(services, user, url, blocks.did_not_open())


async def _answer(services: Services, user: str, url: str, post: Post, *, replace: bool = False) -> None:
    async with services.database.transaction() as tx:
        await answers.enqueue(
            tx, services.vault, url=url, post=post, now=services.clock(), replace=replace, or_tell=user
        )


async def submitted(services: Services, view: dict[str, Any], *, user: str, team_id: str) -> str | None:
    """Let these leads go to that channel; else what is wrong with what was chosen."""
    refused = await access.refusal(services, team_id=team_id, user_id=user)
    if refused is not None:
        return refused.text
    carried, picked = json.loads(str(view.get("private_metadata"))), blocks.picked(view)
    async with services.database.transaction() as tx:
        channel = await channels.get(tx, row_id(carried.get("channel")))
        business = None if picked == blocks.ALL else await businesses.get(tx, row_id(picked))
        if channel is None or (business is None and picked != blocks.ALL):
            return blocks.GONE
        if business is None and await routing.owners_of(tx, channel.channel):
            return blocks.OTHERS_CHANNEL
        by = rules.By(team_id=team_id, actor=user, now=services.clock())
        await _decide(tx, channel, business, by=by)
        post = blocks.posted_here(by=user, business=None if business is None else business.name or "")
        url = _opened(services, carried.get("url"))
        await answers.enqueue(tx, services.vault, url=url, post=post, now=by.now, replace=True, or_tell=user)
    log.info("channel_chosen", user_id=user)
    return None


async def _decide(tx: Transaction, channel: Channel, business: Business | None, *, by: rules.By) -> None:
    """Once, however often it is submitted."""
    if business is None:
        await rules.for_everything_else(tx, channel.channel, by=by)
    elif business.channel != channel.channel:
        audit.record(
            tx,
            team_id=by.team_id,
            actor=by.actor,
            action="leads_channel_set",
            business_id=business.id,
            now=by.now,
            before={"channel": business.channel},
            after={"channel": channel.channel},
        )
        business.channel = channel.channel


def _opened(services: Services, sealed: object) -> str:
    """The address for the answer; none where what came back is not what was sent."""
    try:
        return services.vault.open(str(sealed or ""))
    except VaultError:
        return ""
