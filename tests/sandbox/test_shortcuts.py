"""The short addresses of the sandbox, without a bot that listens and with one that takes everything."""

import json
from collections import deque
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.as_text import as_text
from sandbox.news import News
from sandbox.outside import CHANNEL, Outside
from sandbox.servers import serving
from sandbox.slack.chat import with_ids
from sandbox.slack.modals import make_view


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    world = Outside()
    yield world
    await world.aclose()


@pytest.fixture
async def curl(world: Outside) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url="http://127.0.0.1:8100"
    ) as curl:
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


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def button(text: str, action_id: str, value: str = "7") -> dict:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": value}


OPTIONS = [{"text": plain(name), "value": name.lower()} for name in ("Quiet", "Replies")]
WINDOW = {
    "type": "modal",
    "callback_id": "settings_channel",
    "title": plain("What goes out"),
    "submit": plain("Save"),
    "close": plain("Close"),
    "blocks": [
        {
            "type": "input",
            "label": plain("Mode"),
            "element": {"type": "radio_buttons", "action_id": "mode", "options": OPTIONS, "initial_option": OPTIONS[1]},
        },
        {
            "type": "input",
            "label": plain("Who"),
            "element": {"type": "multi_users_select", "action_id": "who", "initial_users": ["U0ANA", "S0CREW"]},
        },
    ],
}


@pytest.fixture
def heard() -> list[dict]:
    """What people's presses and windows brought to the bot."""
    return []


@pytest.fixture
async def _listening(world: Outside, heard: list[dict]) -> AsyncIterator[None]:
    async def take(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        heard.append(json.loads(form["payload"][0]) if "payload" in form else {})
        return Response()

    async with serving(Starlette(routes=[Route("/slack/events", take, methods=["POST"])])) as address:
        world.meet(address="http://sandbox", bot_url=address)
        yield


@pytest.mark.usefixtures("_listening")
async def test_a_person_presses_what_says_so(curl, world, heard):
    workspace = world.slack.workspace
    answer = await curl.post("/ana/press", content="I've got it")
    assert (answer.status_code, answer.text) == (404, "Ana sees no I've got it to press; there is nothing.\n")
    menu = {"type": "static_select", "action_id": "lead_snooze", "placeholder": plain("Snooze"), "options": OPTIONS}
    row = {"type": "actions", "elements": [button("I've got it", "lead_claim"), menu]}
    channel = workspace.channel(CHANNEL)
    for text in ("An old card", "A card"):
        newest = workspace.post(channel, {"user": "U0CORKBOT", "text": text, "blocks": with_ids(workspace, [row])})
    assert (await curl.post("/ana/press", content="I've got it")).text == "Slack told the bot, which answered 200.\n"
    assert (await curl.post("/ben/press", content="Snooze = quiet")).status_code == 200
    claimed, snoozed = heard
    assert (claimed["user"]["id"], claimed["message"]["ts"]) == ("U0ANA", newest["ts"])
    assert (snoozed["user"]["id"], snoozed["actions"][0]["selected_option"]["value"]) == ("U0BEN", "quiet")


@pytest.mark.usefixtures("_listening")
async def test_a_person_fills_in_their_window_and_looks_at_home(curl, world, heard):
    workspace, news = world.slack.workspace, News(world.slack, world.thumbtack)
    assert (await curl.get("/ana")).text == "Nothing is shown to Ana alone.\n"
    assert (await curl.post("/ana/submit", content="mode=quiet")).status_code == 404
    workspace.homes["U0ANA"] = make_view(workspace, {"type": "home", "blocks": [
        {"type": "section", "text": plain("My leads"), "accessory": button("Older", "home_page")},
    ]})  # fmt: skip
    workspace.whisper("U0ANA", workspace.channel(CHANNEL), {"text": "Only for you"})
    assert (await curl.post("/ana/press", content="home_page")).status_code == 200
    view = make_view(workspace, WINDOW)
    workspace.views[view["id"]] = ("U0ANA", view)
    seen = [line.strip(" ─") for line in (await curl.get("/ana")).text.splitlines()]
    assert [line for line in seen if line] == [
        "Ana's Home tab", "My leads", "[ Older ]", "Only Ana sees, in #leads", "Only for you", "Ana's window",
        "What goes out", "Mode [ Replies ▾ ]", "Who [ @Ana, @crew ▾ ]", "[ Close ]  [ Save ]",
        "Fields: mode=quiet|replies  who",
    ]  # fmt: skip
    told = "".join(map(as_text, news.fresh()))
    assert "Ana's Home" in told
    assert "Ana's window" in told
    assert news.fresh() == []
    assert (await curl.post("/ana/press", content="Older")).status_code == 404, "the window stands before Home"
    assert (await curl.post("/ana/submit", content="mode=quiet\nwho=U0BEN,U0ANA\n")).status_code == 200
    assert (await curl.post("/ana/close")).status_code == 404
    assert (await curl.post("/ana/home")).status_code == 200
    pressed, submitted, _ = heard
    assert pressed["actions"][0]["value"] == "7"
    state = {name: entry for block in submitted["view"]["state"]["values"].values() for name, entry in block.items()}
    assert state["mode"]["selected_option"]["value"] == "quiet"
    assert state["who"]["selected_users"] == ["U0BEN", "U0ANA"]


async def test_what_befalls_the_channel_and_the_app(curl, world):
    silent = "Done. Slack does not tell the bot.\n"
    assert (await curl.post("/archive")).text == silent
    assert (await curl.post("/ana", content="Hello")).status_code == 404
    assert (await curl.delete("/archive")).status_code == 200
    assert (await curl.delete("/bot")).text == silent
    assert (await curl.delete("/bot")).text == "It is so already.\n"
    assert (await curl.post("/bot")).text == silent
    assert (await curl.delete("/install")).text == silent
    assert world.slack.workspace.refusal == "account_inactive"
    assert (await curl.post("/install")).text == silent
    world.meet(address="http://sandbox", bot_url="http://127.0.0.1:9")
    assert (await curl.post("/archive")).text == "The bot does not take it: connection_failed.\n"
