"""Who may change things here: a part of the settings."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access
from bot.blocks import settings_people as blocks
from bot.listeners.sections import Section, Visit
from bot.services import Services
from storage import managers
from storage.database import Transaction

log = structlog.get_logger()

LIST_WITHIN = 0.7
"""Seconds that the list of user groups is waited for: the window's trigger dies in 3 s, of which access took two at most."""


async def window(visit: Visit) -> dict[str, Any]:
    """Who may now, and the fields to change it."""
    services = visit.services
    groups = await services.directory.groups(within=LIST_WITHIN)
    async with services.database.reading() as tx:
        keepers = await access.keepers_of(services, tx, visit.team_id)
        allowed = await managers.listed(tx, visit.team_id)
    names = None if groups is None else {group.group_id: group.label for group in groups}
    return blocks.people_window(keepers, allowed, names)


SECTION = Section(
    action_id="settings_who",
    label="Who may change things",
    told="People and groups who may connect, pause, and change settings, besides admins and keepers.",
    window=window,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the window."""

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        refused = await access.refusal(services, team_id=team_id, user_id=user_id)
        wanted = blocks.submitted(view)
        wrong = refused.text if refused else blocks.TOO_MANY if len(wanted.chosen) > blocks.MOST else None
        if wrong is not None:
            await ack(response_action="errors", errors={blocks.PEOPLE: wrong})
            return
        async with services.database.transaction() as tx:
            after = await _changed(services, tx, wanted, team_id=team_id, user_id=user_id)
        await ack(response_action="update", view=after)

    app.view("settings_people")(on_submit)


async def _changed(
    services: Services, tx: Transaction, wanted: blocks.Allowed, *, team_id: str, user_id: str
) -> dict[str, Any]:
    """Store what was chosen and what was taken away; what others changed meanwhile stays as it is."""
    changed = await managers.change(
        tx,
        team_id=team_id,
        add=[one for one in wanted.chosen if one not in wanted.shown],
        remove=wanted.shown.difference(wanted.chosen),
        actor=user_id,
        now=services.clock(),
    )
    if changed:
        log.info("managers_set", user_id=user_id)
    return blocks.saved_window(await managers.listed(tx, team_id), changed=changed)
