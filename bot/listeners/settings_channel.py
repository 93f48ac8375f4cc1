"""What goes out from a channel: a part of the settings."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import policies
from bot.blocks import settings_channel as blocks
from bot.blocks.settings_channel import Choice
from bot.listeners import windows
from bot.listeners.sections import Section, Visit, may_submit
from bot.services import Services
from storage import audit, cards, channels, lanes, outbox
from storage.database import Transaction
from storage.outbox import Kind

log = structlog.get_logger()


async def window(visit: Visit) -> dict[str, Any]:
    """What holds in the channel in which the command was typed; elsewhere, in that of the leads."""
    typed_in = visit.channel if blocks.is_channel(visit.channel) else None
    return await _window(visit.services, typed_in or visit.services.settings.slack_leads_channel)


SECTION = Section(
    action_id="settings_channel",
    label="What goes out",
    told="For a channel: replies or quiet, the writer's name below a reply, and phone numbers in replies.",
    window=window,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the window."""

    async def on_channel(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        view = await _window(services, blocks.channel_of(action))
        await windows.updated(services, body.get("view") or {}, view)
        await ack()

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        if not await may_submit(services, ack, team_id=team_id, user_id=user_id):
            return
        await ack(response_action="update", view=await _submitted(services, view, team_id=team_id, user_id=user_id))

    app.action(blocks.CHANNEL)(on_channel)
    app.view("settings_channel")(on_submit)


async def _window(services: Services, channel: str | None, *, again: bool = False) -> dict[str, Any]:
    async with services.database.reading() as tx:
        return blocks.channel_window(channel, await _now(services, tx, channel), again=again)


async def _now(services: Services, tx: Transaction, channel: str | None) -> Choice:
    holds = await policies.of_channel(tx, services.settings, channel)
    return Choice.of(quiet=holds.quiet, signature=holds.signature, contact_data=holds.contact_data)


async def _submitted(services: Services, view: dict[str, Any], *, team_id: str, user_id: str) -> dict[str, Any]:
    """What stands in the window's place; it is asked again where it did not show the answers of the chosen channel."""
    said = blocks.submitted(view)
    if said.channel is None or said.channel != said.shown_of or said.shown is None or said.chosen is None:
        return await _window(services, said.channel, again=True)
    async with services.database.transaction() as tx:
        await lanes.lock(tx, f"channel_settings:{said.channel}")  # of two who save at once, the second sees the first
        before = await _now(services, tx, said.channel)
        if changed := _changed(said.shown, said.chosen):
            await channels.choose(tx, team_id=team_id, channel=said.channel, **changed)
        after = await _now(services, tx, said.channel)
        refreshed = 0
        if after != before:
            _record(services, tx, said.channel, before, after, team_id=team_id, user_id=user_id)
        if after.reply_mode != before.reply_mode:
            refreshed = await _mode_changed(services, tx, said.channel, after, team_id=team_id, user_id=user_id)
    return blocks.saved_window(said.channel, after, changed=after != before, cards=refreshed)


def _changed(shown: Choice, chosen: Choice) -> dict[str, Any]:
    """What this person changed; what others changed meanwhile, or what nobody ever chose, stays as it is."""
    values = {
        "reply_mode": (shown.reply_mode, chosen.reply_mode),
        "signature": (shown.is_signed, chosen.is_signed),
        "contact_data": (shown.contact_data, chosen.contact_data),
    }
    return {name: new for name, (old, new) in values.items() if new != old}


def _record(
    services: Services, tx: Transaction, channel: str, before: Choice, after: Choice, *, team_id: str, user_id: str
) -> None:
    """For the audit trail."""
    old, new = _told(before), _told(after)
    changed = {name: new[name] for name in new if new[name] != old[name]}
    audit.record(
        tx,
        team_id=team_id,
        actor=user_id,
        action="channel_set",
        subject=channel,
        now=services.clock(),
        before={name: old[name] for name in changed},
        after={"channel": channel, **changed},
    )
    log.info("channel_set", user_id=user_id, channel=channel)


def _told(choice: Choice) -> dict[str, str]:
    return {"mode": choice.reply_mode, "signature": choice.signature, "contact data": choice.contact_data}


async def _mode_changed(
    services: Services, tx: Transaction, channel: str, after: Choice, *, team_id: str, user_id: str
) -> int:
    """Nobody who reads the channel is to wonder what goes out: its cards say it, and so does a line. Returns how many cards."""
    now = services.clock()
    refreshed = await cards.update_in(tx, team_id=team_id, channel=channel, now=now)
    if refreshed:
        payload = {"notice": "mode_set", "channel": channel, "user": user_id, "quiet": after.is_quiet}
        lane = f"channel_settings:{channel}"
        await outbox.enqueue(
            tx, Kind.POST_NOTICE, now=now, lane=lane, channel=channel, priority=outbox.FIRST, payload=payload
        )
    return refreshed
