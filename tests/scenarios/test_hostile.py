"""What somebody with bad intentions could send: addresses, redirects, requests that were seen before, and SQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from support.conversation import ANA, CHECK, Conversation
from support.deliveries import all_said
from support.office import ADMIN, CHANNEL, Office, office

from bot.replay import replay
from sandbox.faults import Fault
from sandbox.servers import serving
from sandbox.slack.delivery import form_delivery, interaction_delivery
from sandbox.thumbtack import bodies
from storage.models import Connection, Customer, Lead, LeadEvent, Message, Outbox
from webhooks.pages import HEADERS

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Office]:
    """Only what is about SQL depends on the kind of database."""
    async with office(sqlite_url) as running:
        yield running


@dataclass
class Trap:
    """A server that nobody should ever call. It says ok to everything, as Slack and Thumbtack would."""

    url: str = ""
    called: list[str] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        self.called.append(f"{request.method} {request.url.path} {(await request.body())[:200]!r}")
        return PlainTextResponse("ok")


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    """Stands on a loopback port, like the metadata service of a cloud or an unprotected database would."""
    made = Trap()
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    async with serving(Starlette(routes=[Route("/{rest:path}", made.__call__, methods=methods)])) as made.url:
        yield made


# Addresses that came from outside


def with_addresses(body: Any, url: str) -> Any:
    """The same body with this address wherever there was one."""
    match body:
        case dict():
            return {key: with_addresses(value, url) for key, value in body.items()}
        case list():
            return [with_addresses(value, url) for value in body]
        case str() if body.startswith(("http://", "https://")):
            return url
        case _:
            return body


@pytest.mark.parametrize(
    "written",
    [
        "{trap}/latest/meta-data/photo.jpg",
        "file:///etc/passwd",
        "http://169.254.169.254/photo.jpg",
        "gopher://127.0.0.1:25/_photo.jpg",
        "javascript:alert(1)//photo.jpg",
        "//127.0.0.1/photo.jpg",
        "https://user:pass@127.0.0.1/photo.jpg",
    ],
)
async def test_addresses_in_webhooks_are_shown_and_never_fetched(place: Office, trap: Trap, written: str):
    url = written.format(trap=trap.url)
    lead = with_addresses(bodies.lead(), url)
    assert url in str(lead["request"]["attachments"])
    await place.post("/v1/lead", lead)
    photo = {"fileName": "photo.jpg", "fileSize": 9, "mimeType": "image/jpeg", "url": url}
    await place.post("/v1/message", bodies.message(lead["leadID"], f"see {url}", message={"attachments": [photo]}))
    await place.post("/v1/review", with_addresses(bodies.review(lead["leadID"], "5", f"see {url}"), url))
    await all_said(place)
    assert len(place.cards) >= 1
    assert trap.called == []
    said = [call.args for call in place.slack.calls if call.method in ("chat.postMessage", "chat.update")]
    assert said
    for one in said:  # and Slack is not sent there either
        assert (one["unfurl_links"], one["unfurl_media"]) == (False, False)
    shown = str([one.get("blocks") for one in said])
    assert "'url': 'javascript:" not in shown
    assert "'url': 'file:" not in shown


def _asked(place: Office, url: str, *, action_id: str) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": ANA, "team_id": "T0CORKBOARD"},
        "team": {"id": "T0CORKBOARD"},
        "channel": {"id": CHANNEL},
        "trigger_id": "1.1",
        "response_url": url,
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": "1"}],
    }


async def test_an_answer_address_that_is_not_slacks_is_not_called(place: Office, trap: Trap):
    await Conversation.opened(place)
    bring = place.slack.courier.once
    for action_id in ("reply_send_again", "lead_claim", "status_refresh", "lead_view"):
        answer = await bring(interaction_delivery(_asked(place, f"{trap.url}/x", action_id=action_id)))
        assert answer.status == 200, action_id
    for typed in ("", "status", "leads", "connect", "pause"):
        form = {
            "command": "/thumbtack", "text": typed, "user_id": ADMIN, "team_id": "T0CORKBOARD", "channel_id": CHANNEL,
            "trigger_id": "1.1", "response_url": f"{trap.url}/x",
        }  # fmt: skip
        assert (await bring(form_delivery(form))).status == 200, typed
    await all_said(place)
    assert trap.called == []


# Redirects

REDIRECTS = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_of_slacks_api_is_not_followed_and_nothing_is_lost(place: Office, trap: Trap, status: int):
    elsewhere = Fault(status=status, headers={"Location": f"{trap.url}/chat.postMessage"})
    place.slack.faults.add("chat.postMessage", elsewhere)
    lead = bodies.lead()
    await place.post("/v1/lead", lead)
    await all_said(place)
    assert trap.called == []
    assert len(place.cards) == 1


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_of_thumbtacks_api_is_not_followed(place: Office, trap: Trap, status: int):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=status, headers={"Location": f"{trap.url}/message"}))
    await lead.say("We come at 9.")
    await all_said(place)
    assert trap.called == []


async def test_replay_takes_the_password_to_no_other_address(place: Office, trap: Trap):
    def elsewhere(request: Request) -> Response:
        return RedirectResponse(f"{trap.url}{request.url.path}", status_code=302)

    settings = place.door.app.state.services.settings
    async with serving(Starlette(routes=[Route("/{rest:path}", elsewhere, methods=["POST"])])) as url:
        status, _ = await asyncio.to_thread(replay, settings, b"{}", route="/v1/lead", url=url)
    assert (status, trap.called) == (302, [])


# Requests that were seen before


@asynccontextmanager
async def eavesdropping(place: Office) -> AsyncIterator[list[httpx.Request]]:
    """Every request that Slack makes meanwhile, signature and all."""
    heard: list[httpx.Request] = []

    async def keep(request: httpx.Request) -> None:
        if request.url.path == "/slack/events":
            heard.append(request)

    place.http.event_hooks = {"request": [keep]}
    try:
        yield heard
    finally:
        place.http.event_hooks = {}


async def done(place: Office) -> Mapping[str, Any]:
    """Everything that a replay must not do once more."""
    return {
        "sent": [sent.text for sent in place.thumbtack.sent],
        "messages": [(row.text, row.state) for row in await place.rows(Message)],
        "events": [row.kind for row in await place.rows(LeadEvent)],
        "posts": len(place.slack.called("chat.postMessage")),
        "owners": [row.owner for row in await place.rows(Lead)],
        "connections": len(await place.rows(Connection)),
        "queued": len(await place.rows(Outbox)),
    }


async def test_a_request_of_slacks_that_is_replayed_word_for_word_does_nothing_again(place: Office):
    lead = await Conversation.opened(place)
    async with eavesdropping(place) as heard:
        ts = await lead.say("We come at 9.")
        await lead.marked(ts, CHECK)
        note = await lead.say("note: sounds nice")
        await lead.edit(note, "note: sounds very nice")
        assert (await place.slack.press(ANA, CHANNEL, lead.ts, "lead_won")).status == 200
        await all_said(place)
        assert (await place.slack.press(ANA, CHANNEL, lead.ts, "reply_open")).status == 200
        await place.submit({"text": "And at 10."}, user=ANA)
        await all_said(place)
    before = await done(place)
    assert len(heard) >= 6
    assert lead.received == ["We come at 9.", "And at 10."]
    for _ in range(2):
        for request in heard:
            again = await place.http.post("/slack/events", content=request.content, headers=request.headers)
            assert again.status_code == 200
    await all_said(place)
    assert lead.received == ["We come at 9.", "And at 10."]
    after = await done(place)
    assert {key: after[key] for key in ("sent", "messages", "owners", "connections")} == {
        key: before[key] for key in ("sent", "messages", "owners", "connections")
    }
    assert after["events"] == before["events"]


# SQL

SQL = [
    "Robert'); DROP TABLE lead;--",
    "' OR '1'='1",
    '" OR 1=1 --',
    "%",
    "_",
    "\\'; SELECT pg_sleep(10);--",
    "$1 ? :name {0}",
]


async def test_words_that_are_sql_stay_words(database_url: str):
    async with office(database_url) as place:
        named = [
            bodies.lead(customer={"name": name, "phone": "+14155550123", "customerID": str(520 + number)})
            for number, name in enumerate(SQL)
        ]
        for lead in [bodies.lead(customer={"name": "Pat Doe"}), *named]:
            assert (await place.post("/v1/lead", lead)).status_code == 200
            await place.post("/v1/message", bodies.message(lead["leadID"], lead["customer"]["name"]))
        await all_said(place)
        for words in SQL:
            headers = {"x-webhook-secret": words}
            await place.http.post(f"/v4/webhooks/{quote(words, safe='')}", content=b"{}", headers=headers)
            await place.command(f"leads {words}")
            await place.at_rest()
        assert [row.name for row in await place.rows(Customer)] == ["Pat Doe", *SQL]
        assert [row.text for row in await place.rows(Message)] == ["Pat Doe", *SQL]
        assert len(await place.rows(Lead)) == len(place.cards) == len(SQL) + 1
        assert "Robert'); DROP TABLE lead;--" in await place.command(f"leads {SQL[0]}") + "".join(place.whispers())
        assert "Pat Doe" not in await place.command("leads %%%") + place.whispers()[-1]


# Pages

PAGES = [
    "/thumbtack/connect",
    f"/thumbtack/connect?state={SCRIPT}",
    "/thumbtack/callback",
    "/thumbtack/callback/",
    f"/thumbtack/callback?code={SCRIPT}",
    f"/thumbtack/callback?code=1&state={SCRIPT}",
    f"/thumbtack/callback?error={SCRIPT}&error_description={SCRIPT}&state={SCRIPT}",
    f"/thumbtack/callback?error=access_denied&state={SCRIPT}",
]


@pytest.mark.parametrize("address", PAGES)
async def test_every_page_has_the_usual_headers_and_repeats_nothing(place: Office, address: str):
    for method in ("GET", "HEAD"):
        page = await place.http.request(method, address)
        assert {name: page.headers.get(name) for name in HEADERS} == HEADERS
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text
        assert "alert(1)" not in page.text


async def test_so_has_the_way_to_thumbtack_and_the_page_after_it(place: Office):
    await place.command("connect")
    leaving = await place.http.get(place.link("v4"))
    assert leaving.status_code == 303
    page = await place.http.get(await place.thumbtack.consent(leaving.headers["location"]))
    assert page.status_code == 200
    for one in (leaving, page):
        assert {name: one.headers.get(name) for name in HEADERS} == HEADERS
        assert "set-cookie" not in one.headers


def test_what_the_usual_headers_are():
    policy = {
        part.strip().split(" ")[0]: part.strip().split(" ")[1:]
        for part in HEADERS["Content-Security-Policy"].split(";")
    }
    assert policy.pop("style-src")[0].startswith("'sha256-")
    assert policy == {key: ["'none'"] for key in ("default-src", "base-uri", "form-action", "frame-ancestors")}
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"
