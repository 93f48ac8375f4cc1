"""The stand-in speaks Socket Mode as Slack does: tickets, greetings, envelopes in turn, and no more than ten."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackStandIn

ANA, CHANNEL = "U0ANA", "C0LEADS"


class App:
    """An app with a connection, which answers every envelope with the next of `says`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.says: list[dict[str, Any]] = []

    async def hear(self, *, answers: bool = True) -> dict[str, Any]:
        told: dict[str, Any] = await self.socket.receive_json()
        self.heard.append(told)
        if answers and "envelope_id" in told:
            await self.socket.send_json({"envelope_id": told["envelope_id"]} | (self.says.pop() if self.says else {}))
        return told


@pytest.fixture
async def life() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def connected(slack: SlackStandIn, client: AsyncWebClient, life: AsyncExitStack) -> App:
    ticket = await client.apps_connections_open(app_token="xapp-sandbox")
    session = await life.enter_async_context(aiohttp.ClientSession())
    return App(await life.enter_async_context(session.ws_connect(str(ticket["url"]))))


async def test_who_shows_the_apps_own_token_is_greeted(slack: SlackStandIn, client: AsyncWebClient, life):
    with pytest.raises(SlackApiError, match="socket_mode_not_enabled"):
        await client.apps_connections_open(app_token="xapp-sandbox")
    await slack.sockets.start()
    for token, error in (("xapp-other", "invalid_auth"), ("xoxb-bot", "not_allowed_token_type")):
        with pytest.raises(SlackApiError, match=error):
            await client.apps_connections_open(app_token=token)
    app = await connected(slack, client, life)
    assert (await app.hear())["type"] == "hello"
    assert [call.token_ok for call in slack.called("apps.connections.open")] == [True, False, False, True]


async def test_a_ticket_is_good_once(slack: SlackStandIn, client: AsyncWebClient):
    await slack.sockets.start()
    url = str((await client.apps_connections_open(app_token="xapp-sandbox"))["url"])
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_everything_people_do_travels_by_envelopes(slack: SlackStandIn, client: AsyncWebClient, bot, life):
    await slack.sockets.start()
    app = await connected(slack, client, life)
    await app.hear()
    for deed, kind, takes in (
        (slack.say(ANA, CHANNEL, "Hello"), "events_api", False),
        (slack.command(ANA, "/thumbtack", "help"), "slash_commands", True),
    ):
        doing = asyncio.create_task(deed)
        app.says = [{"payload": {"text": "Yes."}}]
        told = await app.hear()
        assert (told["type"], told["accepts_response_payload"]) == (kind, takes)
        answer = await doing
        assert (answer.status, answer.json()) == (200, {"text": "Yes."})
    assert app.heard[1]["payload"]["event"]["text"] == "Hello"
    assert app.heard[2]["payload"]["command"] == "/thumbtack"
    assert bot.heard == []


async def test_what_is_not_acknowledged_comes_again_and_says_so(slack: SlackStandIn, client: AsyncWebClient, life):
    await slack.sockets.start()
    assert (await slack.say(ANA, CHANNEL, "Anybody?")).failure == "no_connection"
    slack.sockets.patience, slack.courier.pauses = 0.05, (0.0,)
    app = await connected(slack, client, life)
    await app.hear()
    saying = asyncio.create_task(slack.say(ANA, CHANNEL, "Hello"))
    first, second = await app.hear(answers=False), await app.hear()
    assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (0, 1, "timeout")
    assert first["envelope_id"] != second["envelope_id"]
    assert json.dumps(first["payload"]) == json.dumps(second["payload"])
    assert (await saying).attempts == 2


async def test_they_are_brought_in_turn_and_more_than_permitted_is_turned_away(
    slack: SlackStandIn, client: AsyncWebClient, life
):
    await slack.sockets.start()
    slack.sockets.most = 2
    apps = [await connected(slack, client, life) for _ in range(3)]
    assert [(await app.hear()).get("num_connections") for app in apps[:2]] == [1, 2]
    assert (await apps[2].hear())["reason"] == "too_many_websockets"
    for app in apps[:2]:
        saying = asyncio.create_task(slack.say(ANA, CHANNEL, "Hello"))
        assert (await app.hear())["type"] == "events_api"
        assert (await saying).ok
