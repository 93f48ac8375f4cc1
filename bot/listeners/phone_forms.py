"""The windows about phone numbers: opening them, what they carry, and what people submit in them."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, phone_numbers, phone_orders
from bot.blocks import phone_outcomes, phone_windows
from bot.blocks.posts import Post
from bot.blocks.reading import filled, row_id
from bot.listeners import windows
from bot.phone_changes import Change, Wish
from bot.phone_numbers import Entry, Wrong
from bot.phone_orders import Who
from bot.services import Services
from storage import phones as phone_rows
from storage.database import Transaction
from storage.models import Business, Phone
from storage.vault import VaultError
from webhooks.thumbtack.payloads.text import storable

FRESH = timedelta(minutes=5)
"""A list that is no older is believed about what is registered already; the dispatcher looks again anyway."""

NO_NUMBER = "Type a phone number."
NO_NAME = "Type a name."
NO_LINES = "Type or paste at least one number."
NO_BUSINESS = "Pick a business."

log = structlog.get_logger()

Said = dict[str, str] | Post | None
"""What is wrong with which input, what to say in place of the window, or nothing: then it closes."""


async def show(services: Services, trigger_id: str | None, view: dict[str, Any]) -> Post | None:
    """Show a window; what to say where Slack does not."""
    return None if await windows.opened(services, trigger_id, view) else phone_outcomes.did_not_open()


def metadata(who: Who, *, business: Business | None, phone: Phone | None = None) -> str:
    """What a window carries: our own ids and the sealed address for the answer, since it has none of its own."""
    carried: dict[str, Any] = {"url": who.url, "replace": who.replace}
    carried |= {"business": business.id} if business else {}
    return json.dumps(carried | ({"phone": phone.id} if phone else {}))


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A window as it was submitted, in the transaction that stores what follows from it."""

    tx: Transaction
    who: Who
    view: dict[str, Any]
    business: Business
    phone: Phone | None

    def filled(self, name: str) -> str:
        """What was written in an input."""
        return storable(filled(self.view, name)).strip()


def register(app: AsyncApp, services: Services) -> None:
    """Listen to submitted windows."""

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        said = await submitted(services, view, user_id=body["user"]["id"], team_id=context.team_id or "")
        match said:
            case Post() as post:
                await ack(response_action="update", view=phone_windows.says("Phone numbers", post))
            case None:
                await ack()
            case errors:
                await ack(response_action="errors", errors=errors)

    for callback_id in FORMS:
        app.view(callback_id)(on_submit)


async def submitted(services: Services, view: dict[str, Any], *, user_id: str, team_id: str) -> Said:
    """Store what is wanted; else what is wrong with an input, or what to say in place of the window."""
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        return refused
    carried = _carried(view)
    url = _sealed(services, carried.get("url"))
    who = Who(services=services, team_id=team_id, user_id=user_id, url=url, replace=carried.get("replace") is True)
    wanted = carried.get("business") or filled(view, phone_windows.BUSINESS)
    async with services.database.transaction() as tx:
        business = await phone_orders.business(services, tx, row_id(wanted))
        if business is None:
            return {phone_windows.BUSINESS: NO_BUSINESS} if _asks_business(view) else phone_outcomes.not_connected()
        _, phone = await phone_orders.phone(services, tx, row_id(carried.get("phone")))
        form = Submitted(tx=tx, who=who, view=view, business=business, phone=phone)
        return await FORMS[view["callback_id"]](form)


def _carried(view: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(str(view.get("private_metadata") or ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sealed(services: Services, url: object) -> str:
    """The sealed address as the window carried it; where it is none of ours, the answer is a direct message."""
    try:
        services.vault.open(str(url or ""))
    except VaultError:
        return services.vault.seal("")
    return str(url)


def _asks_business(view: Mapping[str, Any]) -> bool:
    return any(block.get("block_id") == phone_windows.BUSINESS for block in view.get("blocks") or ())


async def _add_submitted(form: Submitted) -> dict[str, str] | None:
    written, name = form.filled(phone_windows.NUMBER), phone_numbers.read_name(form.filled(phone_windows.NAME))
    entry = phone_numbers.read(written)
    if isinstance(entry, Wrong):
        return {phone_windows.NUMBER: phone_outcomes.why(entry) if written else NO_NUMBER}
    if isinstance(name, Wrong):
        return {phone_windows.NAME: phone_outcomes.why(name)}
    known = await _known(form)
    if entry.number in known:
        return {phone_windows.NUMBER: phone_outcomes.already(known[entry.number])}
    wish = Wish(change=Change.ADD, entries=(Entry(number=entry.number, name=name or entry.name),))
    await phone_orders.change(form.tx, form.who, form.business, wish)
    return None


async def _import_submitted(form: Submitted) -> dict[str, str] | None:
    bulk = phone_numbers.read_bulk(form.filled(phone_windows.LINES), registered=await _known(form))
    if bulk.wrong:
        return {phone_windows.LINES: phone_outcomes.why_lines(bulk.wrong)}
    if not bulk.entries:
        return {phone_windows.LINES: NO_LINES}
    await phone_orders.change(form.tx, form.who, form.business, Wish(change=Change.IMPORT, entries=bulk.entries))
    return None


async def _rename_submitted(form: Submitted) -> dict[str, str] | Post | None:
    if form.phone is None:
        return phone_outcomes.no_longer()
    name = phone_numbers.read_name(form.filled(phone_windows.NAME))
    if name is None or isinstance(name, Wrong):
        return {phone_windows.NAME: NO_NAME if name is None else phone_outcomes.why(name)}
    wish = Wish(change=Change.RENAME, phone_id=form.phone.thumbtack_id, number=form.phone.number, name=name)
    await phone_orders.change(form.tx, form.who, form.business, wish)
    return None


async def _remove_submitted(form: Submitted) -> Post | None:
    if form.phone is None:
        return phone_outcomes.no_longer()
    wish = Wish(change=Change.REMOVE, phone_id=form.phone.thumbtack_id, number=form.phone.number, name=form.phone.name)
    await phone_orders.change(form.tx, form.who, form.business, wish)
    return None


async def _known(form: Submitted) -> dict[str, str | None]:
    """The numbers that a fresh list has, with their names."""
    since = form.who.services.clock() - FRESH
    found = await phone_rows.registered(form.tx, form.business.id or 0)
    return {phone_numbers.normal(one.number): one.name for one in found if one.listed_at >= since}


FORMS: Mapping[str, Callable[[Submitted], Awaitable[Said]]] = {
    "phone_add": _add_submitted,
    "phone_import": _import_submitted,
    "phone_rename": _rename_submitted,
    "phone_remove": _remove_submitted,
}
"""The windows by callback_id."""
