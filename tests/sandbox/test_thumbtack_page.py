"""Thumbtack's side of the page over HTTP: what is shown, what customers do, and trouble; the bot here takes everything."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support.consents import granting

from sandbox.outside import CHANNEL, Outside
from sandbox.pages import parts, thumbtack_view, trouble
from sandbox.servers import serving
from sandbox.thumbtack.bodies import BUSINESS_ID

Json = dict[str, Any]
Do = Callable[..., Awaitable[httpx.Response]]


@dataclass
class Bot:
    """Takes what it is told, and is there or not."""

    heard: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 200
    running: bool = True
    ahead: timedelta = timedelta()
    world: Outside | None = None
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.heard.append((request.url.path, await request.json()))
        return Response(status_code=self.status)

    async def kill(self) -> None:
        self.running = False
        self.reached_at("http://127.0.0.1:9")

    async def start(self) -> None:
        self.running = True
        self.reached_at(self.url)

    def put_forward(self, by: timedelta) -> None:
        self.ahead += by

    def reached_at(self, url: str) -> None:
        assert self.world
        self.world.meet(address="http://127.0.0.1:8100", bot_url=url)


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    world = Outside()
    yield world
    await world.aclose()


@pytest.fixture
async def bot(world) -> AsyncIterator[Bot]:
    bot = Bot(world=world)
    async with serving(Starlette(routes=[Route("/{path:path}", bot.take, methods=["POST", "PUT"])])) as bot.url:
        bot.reached_at(bot.url)
        world.bot = bot
        yield bot


@pytest.fixture
async def do(world) -> AsyncIterator[Do]:
    """A deed on the page, as a browser asks for it."""
    address = "http://127.0.0.1:8100"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url=address) as browser:

        async def deed(name: str, **args: Any) -> httpx.Response:
            body = {"deed": name, "as": "U0ANA", "args": args}
            return await browser.post("/page/do", json=body, headers={"origin": address})

        yield deed


def said(answer: httpx.Response) -> str | None:
    assert answer.status_code == 200, answer.text
    return answer.json()["said"]


def refused(answer: httpx.Response) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    return str(answer.json()["error"])


def leads(world: Outside) -> list[Json]:
    return list(thumbtack_view.view(world, "U0ANA")["leads"])


def troubles(world: Outside) -> dict[str, bool]:
    return {one["key"]: one["on"] for one in trouble.view(world, "U0ANA")["troubles"]}


async def test_a_customer_of_the_pro_api(world, bot, do):
    assert said(await do("lead")) == "Maya Alvarez asks for something, told by the Pro API. The bot took it."
    (lead,) = leads(world)
    assert said(await do("customer", lead_id=lead["id"], text=" Today? ")) is None
    assert "$31.00" in said(await do("price", lead_id=lead["id"], price="$31.00"))
    assert said(await do("review", lead_id=lead["id"], rating=4, text="Tidy.")).startswith("Maya Alvarez reviewed.")
    paths = [path for path, _ in bot.heard]
    assert paths == ["/v1/lead", "/v1/message", "/v1/lead/update", "/v1/review"]
    await world.thumbtack.world.receive(business_id=BUSINESS_ID, lead_id=lead["id"], text="Yes.", via="v2")
    (lead,) = leads(world)
    assert (lead["v4"], lead["told"], lead["what"], lead["price"]) == (False, True, "Interior Painting", "$260/hour")
    assert lead["where"] == "1200 Example Street, Apt 4, Palo Alto, CA, 94301"
    assert lead["answers"][2]["answer"] == "I'm not sure"
    assert lead["photos"] == [{"name": "door.jpg", "title": "my stain"}]
    assert {(one["by"], one["text"], one.get("rating")) for one in lead["written"]} == {
        ("customer", "Today?", None), ("bot", "Yes.", None), ("review", "Tidy.", 4),
    }  # fmt: skip
    assert (lead["cost"], lead["charge"]) == ("$31.00", "Charged")
    assert refused(await do("app", lead_id=lead["id"], text="Hi")).startswith("Only Thumbtack's newer API")


async def test_a_customer_of_the_newer_api_writes_before_the_request_is_told(world, bot, do):
    assert said(await do("early")).startswith("Tessa Lindqvist wrote before")
    (lead,) = leads(world)
    assert not lead["told"]
    assert said(await do("tell", lead_id=lead["id"])) == "Thumbtack tells of the request now. The bot took it."
    assert refused(await do("tell", lead_id=lead["id"])) == "Thumbtack has told of that lead already."
    assert said(await do("app", lead_id=lead["id"], text="We do.")) is None
    for deed, more in (("job", {}), ("review", {"text": "Fine"}), ("price", {}), ("customer", {"text": "Good"})):
        assert (await do(deed, lead_id=lead["id"], **more)).status_code == 200
    told = [body["event"]["eventType"] for _, body in bot.heard]
    assert told == [
        "MessageCreatedV4", "NegotiationCreatedV4", "MessageCreatedV4", "PresetJobStatusChangedV4", "ReviewCreatedV4",
        "MessageCreatedV4",
    ]  # fmt: skip
    (lead,) = leads(world)
    assert lead["told"]
    assert [one["by"] for one in lead["written"]] == ["customer", "app", "review", "customer"]
    assert (lead["price"], len(lead["times"]), lead["cost"]) == ("$150.00", 2, "$26.00")


async def test_leads_come_with_photos_and_the_newest_stands_first(world, bot, do):
    await do("lead")
    await do("lead_v4")
    assert "test delivery. The bot took it." in said(await do("test_delivery"))
    newest, oldest = leads(world)  # nobody reads what a test delivery is answered
    assert [photo["title"] for photo in newest["photos"]] == ["The corner over the door", "The oak"]
    assert (newest["v4"], oldest["v4"]) == (True, False)
    assert bot.heard[-1][1]["data"]["customer"]["firstName"] == "Test"


async def test_what_somebody_plays_by_hand_does_not_break_the_page(world, bot):
    odd = {"customer": None, "request": {"details": [{}], "attachments": [{}], "location": None, "category": None}}
    await world.thumbtack.lead(**odd)
    await world.thumbtack.review(world.thumbtack.last_lead_id, "many", "!")
    await world.thumbtack.v4_lead(customer=None, request={"proposedTimes": [{}], "booking": {}, "description": None})
    await world.thumbtack.v4_review(world.thumbtack.last_lead_id, 7, "?")
    newest, oldest = leads(world)
    assert (oldest["customer"], oldest["what"], oldest["written"][0]["rating"]) == ("A customer", "Something", 0)
    assert (newest["times"], newest["written"][0]["rating"]) == ([{"start": "", "end": None}], 5)


async def test_what_cannot_be_done_is_said(world, bot, do):
    await do("lead")
    (lead,) = leads(world)
    assert refused(await do("customer", lead_id="7", text="Hi")) == "There is no such lead."
    assert refused(await do("customer", lead_id=lead["id"], text=" ")) == "Write something first."
    assert refused(await do("customer", lead_id=lead["id"], text="x" * 16_385)).startswith("That is too long")
    assert refused(await do("review", lead_id=lead["id"], rating=6, text="!")) == "A review has one to five stars."
    bot.status = 503
    assert said(await do("customer", lead_id=lead["id"], text="Hi")) == "The bot did not take it: it answered 503."


@pytest.mark.parametrize("key", ["slack_down", "thumbtack_down", "slack_lost", "thumbtack_lost"])
async def test_trouble_begins_and_ends(world, do, key):
    for _ in range(2):  # a second press changes nothing
        assert said(await do("trouble", key=key, on=True)) is None
        assert [one for one, on in troubles(world).items() if on] == [key]
    faults = world.slack.faults if key.startswith("slack") else world.thumbtack.faults
    assert faults.take("chat.postMessage" if key.startswith("slack") else "message")
    said(await do("trouble", key=key, on=True))
    for _ in range(2):
        assert said(await do("trouble", key=key, on=False)) is None
    assert not any(troubles(world).values())
    assert not faults.take("chat.postMessage" if key.startswith("slack") else "message")


async def test_tokens_that_expire_are_renewed_and_withdrawn_ones_are_not(world, do):
    for key in ("token_expired", "tokens_revoked"):
        assert refused(await do("trouble", key=key, on=True)).startswith("No business is connected.")
        assert refused(await do("trouble", key=key, on=False)) == "That does not end by a button."
    assert refused(await do("trouble", key="rain", on=True)).startswith("That is no trouble")
    pair = granting(world.thumbtack, "v4", businesses=[BUSINESS_ID])
    business = thumbtack_view.view(world, "U0ANA")["businesses"][0]
    assert (business["allowed"], business["leads_come"]) == (["newer API"], None)
    await do("trouble", key="token_expired", on=True)
    assert troubles(world)["token_expired"]
    world.thumbtack.grants.renew("v4", pair.refresh_token)
    assert not troubles(world)["token_expired"]
    await do("trouble", key="tokens_revoked", on=True)
    assert troubles(world)["tokens_revoked"]


async def test_what_was_missed_while_the_bot_was_killed_is_tried_again_in_order(world, bot, do):
    await do("lead")
    await do("trouble", key="bot_killed", on=True)
    assert troubles(world)["bot_killed"]
    kept = "The bot does not answer. Thumbtack tells it again when you start it."
    assert said(await do("customer", lead_id=leads(world)[0]["id"], text="Today?")) == kept
    assert said(await do("lead_v4")).endswith(kept)
    await world.slack.say("U0ANA", CHANNEL, "Is anybody here?")
    heard = len(bot.heard)
    assert "told it what it had missed: 3." in said(await do("trouble", key="bot_killed", on=False))
    assert [path for path, _ in bot.heard[heard:]] == ["/slack/events", "/v1/message", "/v4/webhooks"]
    assert not any(troubles(world).values())
    await do("trouble", key="bot_killed", on=True)
    assert said(await do("trouble", key="bot_killed", on=False)) == "The bot runs again. It missed nothing."
    bot.reached_at("http://127.0.0.1:9")
    assert said(await do("lead")).endswith(
        "The bot does not answer. Is it running?"
    )  # it is: no start will tell it again


async def test_time_passes_for_everybody(world, bot, do):
    before = world.clock()
    assert said(await do("later")).startswith("It is 15 minutes later now.")
    assert bot.ahead == timedelta(minutes=15) <= world.clock() - before
    assert trouble.view(world, "U0ANA")["minutes_ahead"] == 15
    ts = float((await world.slack.say("U0ANA", CHANNEL, "Hello")).ts)
    assert ts - before.timestamp() >= 900  # else it would look old to the bot
    await do("lead")
    assert int(bot.heard[-1][1]["createTimestamp"]) - before.timestamp() >= 899


async def test_a_bot_that_was_started_elsewhere_is_left_alone(world, do):
    for asked in (do("later"), do("trouble", key="bot_killed", on=True)):
        assert refused(await asked).startswith("This bot was started elsewhere")
    assert trouble.view(world, "U0ANA")["bot"] is None
    world.thumbtack.webhook_url = "http://127.0.0.1:9"
    assert said(await do("lead")).endswith("The bot does not answer. Is it running?")
    assert said(await do("lead_v4")).endswith("Is it running?")
    assert said(await do("price", lead_id=leads(world)[0]["id"])).endswith(
        "only when the bot asks."
    )  # no clock to put forward
    assert trouble.view(world, "U0ANA")["missing"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://127.0.0.1") as caller:
        coming = world.changed.coming
        await caller.post("/slack/api/auth.test")
    assert coming.is_set()
    assert not trouble.view(world, "U0ANA")["missing"]


async def test_what_is_done_from_a_shell_is_shown_too(world):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://127.0.0.1") as curl:
        coming = world.changed.coming
        await curl.post("/outage")
    assert coming.is_set()
    assert troubles(world)["thumbtack_down"]
    assert world.clock.ahead == timedelta()


async def test_what_went_over_the_wire_is_told_without_a_word_of_it(world, bot, do):
    await do("lead")
    await world.slack.say("U0ANA", CHANNEL, "A secret")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://127.0.0.1") as caller:
        world.slack.faults.add("chat.postMessage", trouble.failures.lost_answer())
        await caller.post("/slack/api/auth.test")
        with pytest.raises(httpx.HTTPError):
            async with serving(world.app) as address:
                await httpx.AsyncClient(trust_env=False).post(f"{address}/slack/api/chat.postMessage?token=x", json={})
    told = [(one["caller"], one["called"], one["method"], one["path"], one["status"]) for one in wire(world)]
    assert told == [
        ("Corkboard", "Slack", "POST", "/slack/api/chat.postMessage", None),
        ("Corkboard", "Slack", "POST", "/slack/api/auth.test", 200),
        ("Slack", "Corkboard", "POST", "/slack/events", 200),
        ("Thumbtack", "Corkboard", "POST", "/v1/lead", 200),
    ]
    assert "secret" not in str(wire(world))


def wire(world: Outside) -> list[Json]:
    return list(trouble.view(world, "U0ANA")["wire"])


async def test_every_part_of_the_state_is_json_that_names_its_deeds(world, bot, do):
    await do("lead")
    await do("lead_v4")
    httpx.Response(200, json=parts.state(world, "U0ANA"))  # raises where something is not JSON
    assert len(parts.deeds(world)) == sum(len(one.deeds(world)) for one in PARTS)  # no name twice


PARTS = (parts.slack_deeds, parts.channel_deeds, parts.thumbtack_deeds, parts.trouble)
