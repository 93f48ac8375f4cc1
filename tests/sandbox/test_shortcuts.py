"""The short addresses of the sandbox, without a bot that listens and with one that takes everything."""

from collections import deque
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.news import News
from sandbox.outside import CHANNEL, Outside
from sandbox.page import as_text
from sandbox.servers import serving


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    world = Outside()
    yield world
    await world.aclose()


@pytest.fixture
async def curl(world: Outside) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url="http://sandbox") as curl:
        yield curl


@pytest.fixture
async def _bot(world: Outside) -> AsyncIterator[None]:
    async def take(_request: object) -> Response:
        return Response()

    routes = [Route("/{path:path}", take, methods=["POST", "PUT"])]
    async with serving(Starlette(routes=routes)) as address:
        world.meet(address="http://sandbox", bot_url=f"{address}/")
        yield


async def test_nothing_happened_yet(curl):
    assert (await curl.get("/")).text == "Nothing happened yet.\n"
    for path in ("/customer", "/price", "/review"):
        answer = await curl.post(path)
        assert (answer.status_code, answer.text) == (404, "There is no lead yet: POST /lead makes one.\n")
    answer = await curl.post("/ana", content="Hello")
    assert (answer.status_code, answer.text) == (404, "There is no thread yet: POST /lead opens one.\n")
    for act in (curl.put, curl.delete):
        answer = await act("/ana")
        assert (answer.status_code, answer.text) == (404, "Ana has not written anything yet.\n")


async def test_a_bot_that_does_not_run_is_told(curl, world):
    world.meet(address="http://sandbox", bot_url="http://127.0.0.1:9")
    answer = await curl.post("/lead")
    assert (answer.status_code, answer.text) == (502, "The bot does not answer at http://127.0.0.1:9.\n")
    world.slack.workspace.post(world.slack.workspace.channel(CHANNEL), {"user": "U0CORKBOT", "text": "A card"})
    answer = await curl.post("/ana", content="Hello")
    assert (answer.status_code, answer.text) == (502, "The bot does not take it: connection_failed.\n")


@pytest.mark.usefixtures("_bot")
async def test_people_act_in_the_newest_thread(curl, world):
    channel = world.slack.workspace.channel(CHANNEL)
    world.slack.workspace.post(channel, {"user": "U0CORKBOT", "text": "An old card"})
    card = world.slack.workspace.post(channel, {"user": "U0CORKBOT", "text": "A card"})
    news = News(world.slack, world.thumbtack)
    assert (await curl.post("/ana", content="")).status_code == 404
    assert (await curl.post("/ana", content="We come at ten.")).text == "Slack told the bot, which answered 200.\n"
    assert (await curl.put("/ana", content="We come at nine.")).status_code == 200
    assert (await curl.post("/ben", content="Hello")).status_code == 200
    assert (await curl.delete("/ben")).status_code == 200
    said = [message["text"] for message in world.slack.thread(CHANNEL, card["ts"])]
    assert said == ["A card", "We come at nine."]
    assert "We come at nine. (edited)" in (await curl.get("/")).text
    assert "Ana        We come at nine." in "".join(map(as_text, news.fresh()))
    assert (await curl.delete("/ana")).status_code == 200
    assert "deleted    We come at nine." in "".join(map(as_text, news.fresh()))
    assert news.fresh() == []


@pytest.mark.usefixtures("_bot")
async def test_a_notice_is_no_thread_to_answer_in(curl, world):
    channel = world.slack.workspace.channel(CHANNEL)
    reply = {"type": "button", "action_id": "reply_open", "text": {"type": "plain_text", "text": "Reply"}}
    card = {"user": "U0CORKBOT", "text": "A card", "blocks": [{"type": "actions", "elements": [reply]}]}
    stored = world.slack.workspace.post(channel, card)
    world.slack.workspace.post(channel, {"user": "U0CORKBOT", "text": "Something is connected"})
    await curl.post("/ana", content="Hello")
    assert [message["text"] for message in world.slack.thread(CHANNEL, stored["ts"])] == ["A card", "Hello"]


@pytest.mark.usefixtures("_bot")
async def test_customers_and_thumbtack(curl, world):
    for path in ("/lead", "/customer", "/price", "/review"):
        assert (await curl.post(path)).text == "Thumbtack called the bot, which answered 200.\n"
    assert (await curl.post("/outage")).text == "Thumbtack takes no replies from now on. DELETE ends it.\n"
    reply = f"/thumbtack/legacy/v1/business/510000000000000101/lead/{world.thumbtack.last_lead_id}/message"
    auth = ("corkboard", "sandbox")
    assert (await curl.post(reply, json={"text": "Hello"}, auth=auth)).status_code == 503
    assert (await curl.delete("/outage")).text == "Thumbtack takes replies again.\n"
    assert (await curl.post(reply, json={"text": "Hello"}, auth=auth)).status_code == 200
    page = (await curl.get("/")).text
    assert "What Maya Alvarez received on Thumbtack" in page
    assert "Hello" in page


@pytest.mark.usefixtures("_bot")
async def test_leads_of_the_newer_api(curl, world):
    answer = await curl.post("/app")
    assert (answer.status_code, answer.text) == (404, "There is no lead yet: POST /lead makes one.\n")
    await curl.post("/lead")
    answer = await curl.post("/app")
    assert (answer.status_code, answer.text[:12]) == (404, "Only the new")
    called = "Thumbtack called the bot, which answered 200.\n"
    assert (await curl.post("/v4")).text == called
    lead_id = world.thumbtack.last_lead_id
    assert world.thumbtack.is_v4(lead_id)
    assert (await curl.post("/customer", content="Hello")).text == called
    assert (await curl.post("/app", content="At four.")).text == called
    assert (await curl.post("/review")).text == called
    answer = await curl.post("/price", content="$31.00")
    assert answer.text == "Thumbtack knows; its newer API says so only when the bot asks.\n"
    assert world.thumbtack.v4_change(lead_id)["leadPrice"] == "$31.00"
    reply = f"/thumbtack/legacy/v1/business/510000000000000101/lead/{lead_id}/message"
    await curl.post(reply, json={"text": "And bring a key."}, auth=("corkboard", "sandbox"))
    _, _, received = (await curl.get("/")).text.partition("What Tessa Lindqvist received on Thumbtack")
    assert [line.strip()[10:].strip() for line in received.splitlines() if ":" in line] == [
        "At four. (typed in Thumbtack's app)",
        "And bring a key.",
    ]


async def test_a_command_is_answered_with_its_links(curl, world):
    said = deque()

    async def answer(_request: object) -> Response:
        return said.popleft()

    async with serving(Starlette(routes=[Route("/slack/events", answer, methods=["POST"])])) as address:
        world.meet(address="http://sandbox", bot_url=address)
        said.append(Response())
        assert (await curl.post("/olga", content="/thumbtack help")).text == "Slack told the bot, which answered 200.\n"
        link = {"type": "button", "text": {"type": "plain_text", "text": "Connect"}, "url": "https://example.com/?a=1"}
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Messages*\nby an API"}}
        blocks = [section | {"accessory": link | {"action_id": "connect_open"}}]
        said.append(JSONResponse({"text": "Connect", "blocks": blocks}))
        assert (await curl.post("/olga", content="/thumbtack connect")).text.splitlines() == [
            "Slack told the bot, which answered 200.",
            "Messages",
            "by an API",
            "[ Connect ]",
            "Messages: https://example.com/?a=1",
        ]
    assert len(world.slack.ephemerals("U0OLGA")) == 1


async def test_targeting_is_news(curl, world):
    grants, news = world.thumbtack.grants, News(world.slack, world.thumbtack)
    code = grants.consent("legacy", businesses=["510000000000000101"], scopes=["targeting"])
    token = grants.exchange("legacy", code=code, redirect_uri="https://bot.example").access_token
    service = "/thumbtack/legacy/v3/accounts/~/services/510000000000000101"
    for path, enabled in (("", "false"), ("/categories/42", "true")):
        url = f"{service}{path}/preferences/targeting"
        await curl.patch(url, json={"enabled": enabled}, headers={"Authorization": f"Bearer {token}"})
    told = "".join(map(as_text, news.fresh()))
    assert "New leads off: Bright Oak Home Services" in told
    assert "New leads on: Bright Oak Home Services, 42" in told
    assert news.fresh() == []
