"""Connecting a business with Thumbtack: the links, the window for a code, and which business it is."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers, ways
from bot.blocks import connecting as blocks
from bot.blocks.connecting import Choice, Unfinished
from bot.blocks.posts import Post
from bot.blocks.reading import filled, row_id
from bot.listeners import windows
from bot.listeners.verbs import Asked, Verb
from bot.services import Services
from storage import businesses, connections, outbox
from storage.connections import LIVE
from storage.database import Transaction
from storage.models import Connection, Generation
from storage.outbox import Kind
from webhooks import linking
from webhooks.not_connected import NotConnected
from webhooks.thumbtack.payloads.text import storable

NO_CODE = "Paste the code that Thumbtack shows."
NOT_BEGUN = "Press Connect in /thumbtack connect first. Then paste its code here within 10 minutes."
NO_API = "This is not set up any more. See /thumbtack connect."

_CODE = re.compile(r"[\x21-\x7e]+")  # RFC 6749, appendix A.11, without blanks

log = structlog.get_logger()


async def connect(asked: Asked) -> Post | None:
    """The links to Thumbtack, one for each API; `code` opens the window for a code instead."""
    services = asked.services
    callback_url, offered = services.consents.callback_url, services.consents.offered
    if callback_url is None:
        return blocks.no_public_url()
    if not offered:
        return blocks.no_client(callback_url, can_reply=ways.has_v1(services.settings))
    if asked.words[:1] == ("code",):
        return await _open_code_window(asked, offered)
    async with services.database.transaction() as tx:
        links = {
            str(one): await services.consents.begin(tx, generation=one, team_id=asked.team_id, user_id=asked.user_id)
            for one in offered
        }
        unfinished = await _unfinished(services, tx, team_id=asked.team_id)
    return blocks.offers(links, shared_client=services.settings.thumbtack_shared_client, unfinished=unfinished)


CONNECT = Verb(
    sentence="connects a business with Thumbtack",
    usage=("connect", "connect code"),
    run=connect,
    managers_only=True,
)


async def _open_code_window(asked: Asked, offered: tuple[Generation, ...]) -> Post | None:
    view = blocks.code_window([str(one) for one in offered])
    return None if await windows.opened(asked.services, asked.trigger_id, view) else blocks.did_not_open()


async def _unfinished(services: Services, tx: Transaction, *, team_id: str) -> list[Unfinished]:
    """Connections of which nobody said yet for which business they are."""
    environment = services.settings.thumbtack_environment
    found = await connections.without_business(tx, environment=environment, team_id=team_id)
    if not found:
        return []
    known = await businesses.listed(tx, environment=environment)
    choices = tuple(Choice(business_id=one.id or 0, name=linking.name_of(one)) for one in known)
    return [Unfinished(connection_id=one.id or 0, generation=one.generation, choices=choices) for one in found]


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons and windows."""

    async def on_link(ack: AsyncAck) -> None:
        await ack()

    async def on_again(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await again_pressed(services, body, action, team_id=context.team_id or "")
        await ack()

    async def on_pick(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await business_picked(services, body, action, team_id=context.team_id or "")
        await ack()

    async def on_code(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        wrong = await code_submitted(services, view, user_id=body["user"]["id"], team_id=context.team_id or "")
        await (ack(response_action="errors", errors=wrong) if wrong else ack())

    app.action("connect_open")(on_link)
    app.action("connect_again")(on_again)
    app.action("connect_business")(on_pick)
    app.view("connect_code")(on_code)


async def again_pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """Connect again: a link that is good from now on, for who pressed it."""
    user_id = body["user"]["id"]
    post = await access.refusal(services, team_id=team_id, user_id=user_id)
    async with services.database.transaction() as tx:
        if post is None:
            connection = await connections.get(tx, row_id(action.get("value")))
            post = await _link_again(services, tx, connection, team_id=team_id, user_id=user_id)
        await _answer(services, tx, body, post)


async def _link_again(
    services: Services, tx: Transaction, connection: Connection | None, *, team_id: str, user_id: str
) -> Post:
    if connection is None or connection.team_id != team_id or connection.state not in LIVE:
        return blocks.over()
    known = await connections.businesses_of(tx, connection.id or 0)
    try:
        url = await services.consents.begin(
            tx,
            generation=Generation(connection.generation),
            team_id=team_id,
            user_id=user_id,
            business_id=known[0].id if known else None,
        )
    except NotConnected:
        return blocks.not_set_up(connection.generation)
    return blocks.again(url, names=[linking.name_of(one) for one in known], generation=connection.generation)


async def business_picked(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str) -> None:
    """Somebody says for which business a connection is."""
    user_id = body["user"]["id"]
    chosen = str((action.get("selected_option") or {}).get("value") or "")
    connection_id, _, business_id = chosen.partition("-")
    post = await access.refusal(services, team_id=team_id, user_id=user_id)
    async with services.database.transaction() as tx:
        if post is None:
            linked = await linking.pick(
                tx,
                row_id(connection_id),
                row_id(business_id),
                team_id=team_id,
                user_id=user_id,
                now=services.clock(),
            )
            post = blocks.over() if linked is None else blocks.picked(linked.names[0])
        await _answer(services, tx, body, post)


async def code_submitted(services: Services, view: dict[str, Any], *, user_id: str, team_id: str) -> dict[str, str]:
    """A code was typed: kept sealed, and exchanged by the dispatcher at once; returns what is wrong, by block.

    It belongs to the consent that this person began last, and uses that up, as coming back by the browser does.
    """
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        return {blocks.CODE_BLOCK: refused.text}
    code = _code(filled(view, blocks.CODE_BLOCK))
    generation = _generation(services, view)
    if code is None:
        return {blocks.CODE_BLOCK: NO_CODE}
    if generation is None:
        return {blocks.CODE_BLOCK: NO_API}
    async with services.database.transaction() as tx:
        consent = await services.consents.claimed_by_code(tx, generation=generation, team_id=team_id, user_id=user_id)
        if consent is None:
            return {blocks.CODE_BLOCK: NOT_BEGUN}
        payload = {
            "code": services.vault.seal(code),
            "verifier": consent.verifier,
            "generation": generation,
            "team_id": team_id,
            "user": user_id,
            "wanted": consent.business_id,
        }
        await outbox.enqueue(tx, Kind.FINISH_CONNECT, now=services.clock(), priority=outbox.FIRST, payload=payload)
    return {}


def _generation(services: Services, view: dict[str, Any]) -> Generation | None:
    chosen = filled(view, blocks.API_BLOCK) or str(view.get("private_metadata") or "")
    return next((one for one in services.consents.offered if one == chosen), None)


def _code(typed: str) -> str | None:
    """The code in what somebody pasted, which may be the whole address that shows it."""
    text = storable(typed).strip()
    if "code=" in text:
        try:
            text = parse_qs(urlsplit(text).query).get("code", [""])[0]
        except ValueError:
            return None
    return text if _CODE.fullmatch(text) else None


async def _answer(services: Services, tx: Transaction, body: dict[str, Any], post: Post) -> None:
    """To who pressed, alone; the button stays for others."""
    url = body.get("response_url")
    if url:
        user_id = body["user"]["id"]
        await answers.enqueue(tx, services.vault, url=url, post=post, now=services.clock(), or_tell=user_id)
