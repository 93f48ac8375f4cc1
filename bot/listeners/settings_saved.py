"""Saved replies: a part of the settings, in which they are listed, added, changed and deleted."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, placeholders
from bot.blocks import settings as settings_blocks
from bot.blocks import settings_saved as blocks
from bot.blocks.reading import row_id
from bot.blocks.settings_saved import Saved, Submitted
from bot.listeners import settings_first, windows
from bot.listeners.sections import Section, Visit
from bot.notes import Disposition, disposition
from bot.services import Services
from storage import first_replies, leads, saved_replies
from storage.models import SavedReply
from storage.saved_replies import Worded, Wrong
from webhooks.thumbtack.payloads.text import storable

REFRESH_WITHIN = 0.7
"""Seconds: what was submitted is answered within 3 s, of which access took two at most."""

log = structlog.get_logger()


async def window(visit: Visit) -> dict[str, Any]:
    """The list, and whether the automatic first reply is on."""
    return await _list(visit.services, visit.team_id)


SECTION = Section(
    action_id="settings_saved",
    label="Saved replies",
    told="Texts that the team answers with, and the automatic first reply.",
    window=window,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the list and to the window for one reply."""

    async def on_form(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await _form_opened(services, body, action, team_id=context.team_id or "")
        await ack()

    async def on_delete(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await _deleted(services, body, row_id(action.get("value")), team_id=context.team_id or "")
        await ack()

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        wrong = await _submitted(services, blocks.submitted(view), team_id=team_id, user_id=user_id)
        if wrong:
            await ack(response_action="errors", errors=wrong)
            return
        await refresh(services, view, team_id)
        await ack()

    for action_id in ("saved_add", "saved_edit"):
        app.action(action_id)(on_form)
    app.action("saved_delete")(on_delete)
    app.view(blocks.FORM)(on_submit)
    settings_first.register(app, services, refresh)


async def refresh(services: Services, view: dict[str, Any], team_id: str) -> None:
    """Bring the list up to date, on top of which a window stood; where Slack is slow, it is so when it is opened again."""
    below = view.get("previous_view_id")
    if not below:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(REFRESH_WITHIN):
            await windows.updated(services, {"id": below}, await _list(services, team_id))


async def _list(services: Services, team_id: str) -> dict[str, Any]:
    async with services.database.reading() as tx:
        listed = [_shown(one) for one in await saved_replies.listed(tx, team_id)]
        first_on = await first_replies.switched_on(tx)
    return blocks.list_window(listed, most=saved_replies.MOST, first_on=[one.name or "" for one in first_on])


def _shown(reply: SavedReply) -> Saved:
    return Saved(reply_id=leads.known(reply.id), name=reply.name, text=reply.text)


async def _form_opened(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """Push the window for one; who may not change things any more is told so in its place."""
    refused = await access.refusal(services, team_id=team_id, user_id=body["user"]["id"])
    reply = None
    if refused is None and action["action_id"] == "saved_edit":
        async with services.database.reading() as tx:
            found = await saved_replies.get(tx, row_id(action.get("value")), team_id=team_id)
        reply = None if found is None else _shown(found)
    view = blocks.form_window(reply) if refused is None else settings_blocks.refused_window(refused)
    await windows.pushed(services, body.get("trigger_id"), view)


async def _submitted(services: Services, wanted: Submitted, *, team_id: str, user_id: str) -> dict[str, str]:
    """Store what was written; returns what is wrong with it, by the input."""
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        return {blocks.NAME: refused.text}
    if wrong := _wrong(wanted):
        return wrong
    worded = Worded(name=storable(wanted.name), text=storable(wanted.text))
    now = services.clock()
    async with services.database.transaction() as tx:
        if wanted.reply_id:
            failed = await saved_replies.change(tx, wanted.reply_id, worded, team_id=team_id, actor=user_id, now=now)
        else:
            failed = await saved_replies.add(tx, worded, team_id=team_id, actor=user_id, now=now)
    if failed is None:
        log.info("reply_saved", user_id=user_id)
        return {}
    return {blocks.NAME: _FAILED[failed]}


_FAILED = {
    Wrong.NAME_TAKEN: blocks.NAME_TAKEN,
    Wrong.TOO_MANY: blocks.too_many(saved_replies.MOST),
    Wrong.GONE: blocks.GONE,
}


def _wrong(wanted: Submitted) -> dict[str, str]:
    wrong = {}
    if not any(sign.isalnum() for sign in wanted.name):
        wrong[blocks.NAME] = blocks.NO_NAME
    kind = disposition(wanted.text, None, files=False, quiet=False)
    if kind is Disposition.EMPTY:
        wrong[blocks.TEXT] = blocks.NO_TEXT
    elif kind is Disposition.NOTE:
        wrong[blocks.TEXT] = blocks.A_NOTE
    elif odd := placeholders.unknown(wanted.text):
        wrong[blocks.TEXT] = blocks.unknown(odd, blocks.MEANINGS)
    return wrong


async def _deleted(services: Services, body: dict[str, Any], reply_id: int, *, team_id: str) -> None:
    """Delete one; its window says so, and the list below has it no more."""
    view, user_id = body.get("view") or {}, body["user"]["id"]
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        await windows.updated(services, view, settings_blocks.refused_window(refused))
        return
    async with services.database.transaction() as tx:
        reply = await saved_replies.get(tx, reply_id, team_id=team_id)
        name = reply.name if reply else ""
        await saved_replies.remove(tx, reply_id, team_id=team_id, actor=user_id, now=services.clock())
    log.info("saved_reply_deleted", user_id=user_id)
    await windows.updated(services, view, blocks.deleted_window(name))
    await refresh(services, view, team_id)
