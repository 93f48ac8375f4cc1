"""How one business's leads are worked: a part of the settings."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.blocks import business_choice
from bot.blocks import settings_business as blocks
from bot.blocks.business_choice import Everywhere, Submitted
from bot.blocks.reading import row_id
from bot.blocks.settings_routes import NOT_ASKED, WHY_NOT
from bot.listeners import windows
from bot.listeners.sections import Section, Visit, may_submit
from bot.services import Services
from storage import audit, businesses, cards, lanes, routing
from storage.database import Transaction
from storage.models import Business

log = structlog.get_logger()

ON_CARDS = frozenset({"privacy", "time_zone"})
"""What changes the cards: what they show, and when appointments are told to be."""

LIST_WITHIN = 0.7
"""Seconds that the list of user groups is waited for: the window's trigger dies in 3 s, of which access took two at most."""


async def window(visit: Visit) -> dict[str, Any]:
    """The window of the only business, or of the one whose channel it was opened from; else one is chosen first."""
    known = await _known(visit.services)
    mine = [one for one in known if visit.channel is not None and one.channel == visit.channel]
    chosen = (known if len(known) == 1 else mine)[:1]
    return await _window(visit.services, known, chosen[0] if chosen else None)


SECTION = Section(
    action_id="settings_business",
    label="Businesses",
    told="For each business: its own channel, what cards show, reminders, hours, and who is on duty.",
    window=window,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the window."""

    async def on_business(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        picked = row_id((action.get("selected_option") or {}).get("value"))
        await windows.updated(services, body.get("view") or {}, await _window_of(services, picked))
        await ack()

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        team_id, user_id = context.team_id or "", body["user"]["id"]
        if not await may_submit(services, ack, team_id=team_id, user_id=user_id):
            return
        said = await _checked(services, business_choice.submitted(view))
        if said.shown_of == said.business_id and said.wrong:
            await ack(response_action="errors", errors=dict(said.wrong))
            return
        await ack(response_action="update", view=await _submitted(services, said, team_id=team_id, user_id=user_id))

    app.action(business_choice.BUSINESS)(on_business)
    app.view("settings_business")(on_submit)


async def _known(services: Services) -> list[Business]:
    """The businesses that Thumbtack named; leads that name none are of no business."""
    async with services.database.reading() as tx:
        found = await businesses.listed(tx, services.settings.thumbtack_environment)
    return [one for one in found if one.thumbtack_id]


async def _window_of(services: Services, business_id: int, *, again: bool = False) -> dict[str, Any]:
    known = await _known(services)
    chosen = next((one for one in known if one.id == business_id), None)
    return await _window(services, known, chosen, again=again)


async def _window(
    services: Services, known: list[Business], chosen: Business | None, *, again: bool = False
) -> dict[str, Any]:
    groups = None if chosen is None else await services.directory.groups(within=LIST_WITHIN)
    names = None if groups is None else {group.group_id: group.label for group in groups}
    return blocks.business_window(known, chosen, everywhere=_everywhere(services), groups=names, again=again)


def _everywhere(services: Services) -> Everywhere:
    settings = services.settings
    return Everywhere(
        privacy=settings.privacy, remind_after=settings.remind_after_minutes, time_zone=settings.time_zone
    )


async def _checked(services: Services, said: Submitted) -> Submitted:
    """A channel that was not the business's own before must be one that the bot can post to."""
    channel = said.chosen.channel
    if channel is None or channel == said.shown.channel or said.shown_of != said.business_id:
        return said
    async with services.database.reading() as tx:
        wrong = await _used_otherwise(services, tx, channel, said.business_id)
    if wrong is None:
        room = await services.directory.room(channel)
        wrong = NOT_ASKED if room is None else WHY_NOT.get(room)
    return said if wrong is None else business_choice.wrong_channel(said, wrong)


async def _used_otherwise(services: Services, tx: Transaction, channel: str, business_id: int) -> str | None:
    """Why a channel cannot belong to this business alone: others' leads go there, and would go nowhere then."""
    if channel == services.settings.slack_leads_channel:
        return business_choice.FOR_ALL
    business = await businesses.get(tx, business_id)
    rules = [rule for rule in await routing.rules(tx) if rule.channel == channel]
    is_theirs = any(business is None or rule.business != business.thumbtack_id for rule in rules)
    return business_choice.BY_RULE if is_theirs else None


async def _submitted(services: Services, said: Submitted, *, team_id: str, user_id: str) -> dict[str, Any]:
    """What stands in the window's place; it is asked again where it did not show the answers of the chosen business."""
    if said.shown_of != said.business_id:
        return await _window_of(services, said.business_id, again=said.shown_of != 0)
    async with services.database.transaction() as tx:
        await lanes.lock(tx, f"business_settings:{said.business_id}")  # the second of two sees what the first saved
        business = await businesses.get(tx, said.business_id)
        if business is None:
            return blocks.gone_window()
        return await _saved(services, tx, business, said, team_id=team_id, user_id=user_id)


async def _saved(
    services: Services, tx: Transaction, business: Business, said: Submitted, *, team_id: str, user_id: str
) -> dict[str, Any]:
    """Store what this person changed; what others changed meanwhile stays as it is."""
    wanted = said.chosen.changes(said.shown)
    changes = {name: value for name, value in wanted.items() if getattr(business, name) != value}
    before = {name: getattr(business, name) for name in changes}
    for name, value in changes.items():
        setattr(business, name, value)
    refreshed = 0
    if changes:
        _record(services, tx, business, before, changes, team_id=team_id, user_id=user_id)
    if ON_CARDS.intersection(changes):
        refreshed = await cards.update_of(tx, business_id=said.business_id, now=services.clock())
    return blocks.saved_window(business, everywhere=_everywhere(services), changed=bool(changes), cards=refreshed)


def _record(
    services: Services,
    tx: Transaction,
    business: Business,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    team_id: str,
    user_id: str,
) -> None:
    """For the audit trail."""
    audit.record(
        tx,
        team_id=team_id,
        actor=user_id,
        action="business_set",
        business_id=business.id,
        now=services.clock(),
        before=blocks.audited(before),
        after=blocks.audited(after),
    )
    log.info("business_set", user_id=user_id, changed=sorted(after))
