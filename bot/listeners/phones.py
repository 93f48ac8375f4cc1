"""Who may call customers through Thumbtack Numbers: the command, and the buttons of the list."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers, choosing, phone_numbers, phone_orders
from bot.blocks import phone_outcomes, phone_windows
from bot.blocks import phones as phone_blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.listeners import phone_forms
from bot.listeners.phone_forms import metadata
from bot.listeners.verbs import Asked, Verb
from bot.phone_changes import Change, Wish
from bot.phone_numbers import Wrong
from bot.phone_orders import Who
from bot.services import Services
from storage.models import Business, Generation, Phone

OF_A_BUSINESS: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType(
    {"phone_add": phone_windows.add, "phone_import": phone_windows.bulk}
)
OF_A_NUMBER: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType(
    {"phone_rename": phone_windows.rename, "phone_remove": phone_windows.remove}
)
"""The windows behind the buttons, by action_id and by whose id the button carries."""

LISTING = frozenset({"list", "find", "rename", "remove", "delete"})
"""Words after which people may write what they look for: the list has the buttons for the rest."""


# The command


async def phones(asked: Asked) -> Post | None:
    """`phones [business] [what to find]`, `phones [business] add NUMBER [name]`, `phones [business] import`."""
    if not asked.services.thumbtack.oauth(Generation.V4).configured:
        return phone_outcomes.not_offered()
    async with asked.services.database.reading() as tx:
        found = await phone_orders.businesses(asked.services, tx)
    if not found:
        return phone_outcomes.not_connected()
    chosen = choosing.business(found, asked.text)
    which = (chosen.business,) if chosen.business else chosen.choices
    word, _, rest = chosen.rest.partition(" ")
    if word.casefold() == "add":
        return await _add(asked, which, rest)
    if word.casefold() == "import":
        return await _show(asked, phone_windows.bulk(which, metadata=_metadata(asked, which)))
    return await _list(asked, which, rest if word.casefold() in LISTING else chosen.rest)


PHONES = Verb(
    sentence="shows and changes who may call customers through Thumbtack",
    usage=phone_blocks.USAGE,
    run=phones,
    managers_only=True,
)


async def _list(asked: Asked, which: Sequence[Business], find: str) -> Post:
    if len(which) > 1:
        return phone_blocks.which_business(which)
    async with asked.services.database.transaction() as tx:
        await phone_orders.list_them(tx, _who(asked), which[0], find=find.strip())
    return phone_outcomes.asking(which[0])


async def _add(asked: Asked, which: Sequence[Business], typed: str) -> Post | None:
    """Register what was typed; without a number, or where the business must be picked, in the window."""
    if not typed.strip():
        return await _show(asked, phone_windows.add(which, metadata=_metadata(asked, which)))
    entry = phone_numbers.read(typed)
    if isinstance(entry, Wrong):
        return phone_outcomes.cannot_read(entry)
    if len(which) > 1:
        return await _show(asked, phone_windows.add(which, metadata=_metadata(asked, which), filled_in=entry))
    async with asked.services.database.transaction() as tx:
        await phone_orders.change(tx, _who(asked), which[0], Wish(change=Change.ADD, entries=(entry,)))
    return phone_outcomes.adding(which[0], entry)


async def _show(asked: Asked, view: dict[str, Any]) -> Post | None:
    return await phone_forms.show(asked.services, asked.trigger_id, view)


def _metadata(asked: Asked, which: Sequence[Business]) -> str:
    return metadata(_who(asked), business=which[0] if len(which) == 1 else None)


def _who(asked: Asked) -> Who:
    sealed = asked.services.vault.seal(asked.response_url)
    return Who(services=asked.services, team_id=asked.team_id, user_id=asked.user_id, url=sealed)


# The buttons


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons and windows."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await pressed(services, body, action, team_id=context.team_id or "")
        await ack()

    for action_id in (*OF_A_BUSINESS, *OF_A_NUMBER, "phone_business"):
        app.action(action_id)(on_press)
    phone_forms.register(app, services)


async def pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """A button of the list: it opens its window, or the person alone is told why not."""
    user_id, url = body["user"]["id"], str(body.get("response_url") or "")
    post = await access.refusal(services, team_id=team_id, user_id=user_id)
    if post is None:
        who = Who(services=services, team_id=team_id, user_id=user_id, url=services.vault.seal(url), replace=True)
        post = await _pressed(who, action, trigger_id=body.get("trigger_id"))
    if post is not None:
        async with services.database.transaction() as tx:
            await answers.enqueue(tx, services.vault, url=url, post=post, now=services.clock(), or_tell=user_id)


async def _pressed(who: Who, action: Mapping[str, Any], *, trigger_id: str | None) -> Post | None:
    action_id = action["action_id"]
    if action_id == "phone_business":
        return await _picked(who, row_id((action.get("selected_option") or {}).get("value")))
    business, phone = await _about(who, action_id, row_id(action.get("value")))
    if business is None:
        return phone_outcomes.no_longer() if action_id in OF_A_NUMBER else phone_outcomes.not_connected()
    carried = metadata(who, business=business, phone=phone)
    if phone is None:
        view = OF_A_BUSINESS[action_id]((business,), metadata=carried)
    else:
        view = OF_A_NUMBER[action_id](business, phone, metadata=carried)
    return await phone_forms.show(who.services, trigger_id, view)


async def _about(who: Who, action_id: str, row_id: int) -> tuple[Business | None, Phone | None]:
    """The business, and where the button stands beside a number that number, as long as they are there."""
    async with who.services.database.reading() as tx:
        if action_id in OF_A_NUMBER:
            return await phone_orders.phone(who.services, tx, row_id)
        return await phone_orders.business(who.services, tx, row_id), None


async def _picked(who: Who, business_id: int) -> Post | None:
    async with who.services.database.transaction() as tx:
        business = await phone_orders.business(who.services, tx, business_id)
        if business is None:
            return phone_outcomes.not_connected()
        await phone_orders.list_them(tx, who, business)
    return None
