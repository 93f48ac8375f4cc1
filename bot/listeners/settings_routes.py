"""Where leads go: a part of the settings. Rules are listed, added, changed, moved, deleted, and tried with past leads."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, policies, rule_reading
from bot.blocks import settings_routes as blocks
from bot.blocks.mrkdwn import visible
from bot.blocks.reading import filled, row_id
from bot.listeners import windows
from bot.listeners.sections import Section, Visit
from bot.rooms import Room
from bot.services import Services
from storage import businesses, leads, routing, rules
from storage.database import Transaction
from storage.models import Business, Lead
from storage.routing import Matter
from storage.rules import By, Rule

PAST_LEADS = 50
"""How many of the newest leads can be tried."""

REFRESH_WITHIN = 0.7
"""Seconds that the list below a form gets; what came before took two at most."""

log = structlog.get_logger()


async def window(visit: Visit) -> dict[str, Any]:
    """The first page of the rules."""
    async with visit.services.database.reading() as tx:
        return await _list(visit.services, tx, page=0)


SECTION = Section(
    action_id="settings_routes",
    label="Where leads go",
    told="Rules by business, category, zip code and cost: to which channel, and who is mentioned there.",
    window=window,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the list, the form and the trial."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await pressed(services, body, action, team_id=context.team_id or "")
        await ack()

    async def on_form(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        said = await form_submitted(services, view, user=body["user"]["id"], team_id=context.team_id or "")
        await (ack() if said is None else ack(**said))

    async def on_try(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        said = await try_submitted(services, view, user=body["user"]["id"], team_id=context.team_id or "")
        await ack(**said)

    for action_id in ("route_menu", "route_add", "route_try", "route_previous", "route_next"):
        app.action(action_id)(on_press)
    app.view("route_form")(on_form)
    app.view("route_try")(on_try)


async def _list(services: Services, tx: Transaction, *, page: int) -> dict[str, Any]:
    found, default = await routing.rules(tx), services.settings.slack_leads_channel
    return blocks.routes_window(found, await _names(services, tx), page=page, default=default)


async def _names(services: Services, tx: Transaction) -> dict[str, str]:
    found = await businesses.listed(tx, services.settings.thumbtack_environment)
    return {one.thumbtack_id: visible(one.name) or "" for one in found}


# The list


async def pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """Something in the list was pressed or chosen: it opens a window, or changes the list."""
    user, view = body["user"]["id"], body.get("view") or {}
    refused = await access.refusal(services, team_id=team_id, user_id=user)
    if refused is not None:
        await windows.updated(services, view, blocks.says(refused))
        return
    page, value = row_id(view.get("private_metadata")), str(action.get("value") or "")
    deed, _, chosen = str((action.get("selected_option") or {}).get("value") or "").partition(" ")
    by = By(team_id=team_id, actor=user, now=services.clock())
    match action["action_id"], deed:
        case "route_previous" | "route_next", _:
            await _refresh(services, view, page=row_id(value))
        case "route_try", _:
            await _push(services, body, await _try_window(services))
        case "route_add", _:
            await _push(services, body, await _form(services, None, view, page=page))
        case "route_menu", "edit":
            await _push(services, body, await _form(services, row_id(chosen), view, page=page))
        case "route_menu", "up" | "delete":
            async with services.database.transaction() as tx:
                change = rules.move_up if deed == "up" else rules.remove
                await change(tx, row_id(chosen), by=by)
            await _refresh(services, view, page=page)


async def _refresh(services: Services, view: dict[str, Any], *, page: int) -> bool:
    async with services.database.reading() as tx:
        changed = await _list(services, tx, page=page)
    return await windows.updated(services, view, changed)


async def _push(services: Services, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Slack lets who pressed try again where the window did not come in time; nothing was done yet."""
    await windows.pushed(services, body.get("trigger_id"), view)


# The form


async def _form(services: Services, rule_id: int | None, below: dict[str, Any], *, page: int) -> dict[str, Any]:
    async with services.database.reading() as tx:
        row = next((one for one in await routing.rules(tx) if one.id == rule_id), None)
        names = await _names(services, tx)
    carried = {"list": below.get("id"), "page": page, "rule": None if row is None else row.id}
    return blocks.form(None if row is None else rules.rule_of(row), names, carried=json.dumps(carried))


async def form_submitted(services: Services, view: dict[str, Any], *, user: str, team_id: str) -> dict[str, Any] | None:
    """Save the rule and show it in the list below; else what is wrong. None: the form closes."""
    carried, written = json.loads(str(view.get("private_metadata"))), blocks.submitted(view)
    found = rule_reading.read(written)
    if found.rule is None:
        return _errors({name: blocks.remedy(text) for name, text in found.wrong.items()})
    refused, room = await asyncio.gather(
        access.refusal(services, team_id=team_id, user_id=user), services.directory.room(found.rule.channel)
    )
    if refused is not None:
        return _update(blocks.says(refused))
    if room is not Room.OPEN:
        return _errors({blocks.CHANNEL: blocks.NOT_ASKED if room is None else blocks.WHY_NOT[room]})
    by = By(team_id=team_id, actor=user, now=services.clock())
    if not await _saved(services, found.rule, rule_id=carried.get("rule"), by=by):
        return _errors({blocks.CHANNEL: blocks.BELONGS})
    log.info("route_set", user_id=user)
    return None if await _refreshed_in_time(services, carried) else _update(blocks.saved())


async def _refreshed_in_time(services: Services, carried: dict[str, Any]) -> bool:
    """The list is brought up to date while there is time: Slack gives a submitted window 3 s in all."""
    try:
        async with asyncio.timeout(REFRESH_WITHIN):
            return await _refresh(services, {"id": carried.get("list")}, page=row_id(carried.get("page")))
    except TimeoutError:
        return False


async def _saved(services: Services, rule: Rule, *, rule_id: int | None, by: By) -> bool:
    """False where the channel belongs to businesses that the rule does not name."""
    async with services.database.transaction() as tx:
        if rule.business is None and await routing.owners_of(tx, rule.channel):
            return False
        before = next((one for one in await routing.rules(tx) if one.id == rule_id), None)
        groups = [one for one in (() if before is None else before.ring) if one.startswith("S")]
        await rules.save(tx, replace(rule, ring=(*rule.ring, *groups)), rule_id=rule_id, by=by)
        return True


def _errors(wrong: dict[str, str]) -> dict[str, Any]:
    return {"response_action": "errors", "errors": wrong}


def _update(view: dict[str, Any]) -> dict[str, Any]:
    return {"response_action": "update", "view": view}


# Trying


async def _try_window(services: Services) -> dict[str, Any]:
    async with services.database.reading() as tx:
        found = await leads.newest(tx, services.settings.thumbtack_environment, limit=PAST_LEADS)
        labels = [await _label(services, tx, lead) for lead in found]
    return blocks.try_window([(leads.known(lead.id), label) for lead, label in zip(found, labels, strict=True)])


async def _label(services: Services, tx: Transaction, lead: Lead) -> str:
    """What a lead is, without a customer's name; of a private business, only whose and when."""
    business = await businesses.get(tx, lead.business_id)
    whose = visible(business.name) if business is not None else None
    came = lead.created_at or lead.received_at
    told: Sequence[str | None] = (lead.category, lead.city, lead.zip_code)
    if policies.is_private(services.settings, business):
        told = (None if came is None else f"{came:%b} {came.day}", f"lead {lead.id}")
    return " · ".join(filter(None, map(visible, (*told, whose)))) or f"Lead {lead.id}"


async def try_submitted(services: Services, view: dict[str, Any], *, user: str, team_id: str) -> dict[str, Any]:
    """Where the chosen lead would go if it came now, and why."""
    refused = await access.refusal(services, team_id=team_id, user_id=user)
    if refused is not None:
        return _update(blocks.says(refused))
    async with services.database.reading() as tx:
        lead = await leads.get(tx, row_id(filled(view, blocks.LEAD)))
        if lead is None:
            return _errors({blocks.LEAD: blocks.NO_LEAD})
        return _update(await _result(services, tx, lead))


async def _result(services: Services, tx: Transaction, lead: Lead) -> dict[str, Any]:
    business: Business | None = await businesses.get(tx, lead.business_id)
    matter, default = Matter.of(lead, business), services.settings.slack_leads_channel
    place = await routing.place_for(tx, matter, default=default)
    tried = [
        blocks.Tried(number=number, rule=row, misfit=routing.misfit(row, matter))
        for number, row in enumerate(await routing.rules(tx), start=1)
    ]
    return blocks.result_window(
        await _label(services, tx, lead),
        tried,
        await _names(services, tx),
        channel=place.channel,
        rule=place.rule,
        instead_of=place.instead_of,
        ring=place.ring or services.settings.slack_ring,
    )
