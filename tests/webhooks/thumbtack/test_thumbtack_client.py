"""The client against the stand-in, over real HTTP on loopback."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse

from sandbox.faults import Fault
from sandbox.servers import serving
from sandbox.thumbtack import ThumbtackStandIn
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import BasicCredentials
from webhooks.thumbtack.errors import (
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    Unavailable,
    UnexpectedResponse,
)
from webhooks.thumbtack.facts import LeadReceived

CREDENTIALS = BasicCredentials(username="corkboard", password="s3cret: ü")
BRISK = httpx.Timeout(5.0, read=0.05)


@asynccontextmanager
async def client_of(url, **changes):
    client = ThumbtackClient(**{"version": "1.2.3", "legacy_url": url, "legacy_credentials": CREDENTIALS} | changes)
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture
async def thumbtack():
    async with ThumbtackStandIn(
        username=CREDENTIALS.username, password=CREDENTIALS.password, known_leads=["lead 1"]
    ) as stand_in:
        yield stand_in


@pytest.fixture
async def url(thumbtack):
    async with serving(thumbtack.app) as address:
        yield f"{address}/legacy/"


@pytest.fixture
async def client(url):
    async with client_of(url) as client:
        yield client


async def send(client, text="Hello, how can I help you?"):
    await client.send_message_v1(business_id="biz", lead_id="lead 1", text=text)


async def test_a_reply_reaches_the_customer(thumbtack, client):
    await send(client, "Yes — it's included 🙂\nSee you <soon> & safe")
    (sent,) = thumbtack.sent
    assert (sent.business_id, sent.lead_id) == ("biz", "lead 1")
    assert sent.text == "Yes — it's included 🙂\nSee you <soon> & safe"


async def test_text_that_no_utf8_can_hold_is_still_sent(thumbtack, client):
    await send(client, "a\x00b\ud800c")
    assert thumbtack.received("lead 1") == ["a\ufffdb\ufffdc"]


async def test_longest_text(thumbtack, client):
    await send(client, "x" * 16_384)
    with pytest.raises(RequestRejected) as refused:
        await send(client, "x" * 16_385)
    assert refused.value.status == 400
    assert refused.value.detail == "text must be 1 to 16384 characters."
    assert len(refused.value.trace_id) == 16
    assert len(thumbtack.sent) == 1


async def test_an_unknown_lead_is_refused(client):
    with pytest.raises(RequestRejected) as refused:
        await client.send_message_v1(business_id="biz", lead_id="another", text="Hello")
    assert (refused.value.status, refused.value.detail) == (404, "No such lead.")


async def test_wrong_credentials(url):
    wrong = BasicCredentials(username="corkboard", password="wrong")
    async with client_of(url, legacy_credentials=wrong) as client:
        with pytest.raises(ReconnectRequired) as refused:
            await send(client)
    assert refused.value.status == 401


async def test_without_credentials_nothing_is_sent(thumbtack, url):
    async with client_of(url, legacy_credentials=None) as client:
        assert not client.can_send_v1
        with pytest.raises(ReconnectRequired, match="No user name and password"):
            await send(client)
    async with client_of(url) as client:
        assert client.can_send_v1


def test_the_password_is_not_shown():
    assert "s3cret" not in repr(CREDENTIALS)


@pytest.mark.parametrize(
    ("fault", "error", "pause"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), RateLimited, 7.0),
        (Fault(status=429), RateLimited, None),
        (Fault(status=503, headers={"Retry-After": "30"}), Unavailable, 30.0),
        (Fault(status=500), Unavailable, None),
        (Fault(status=202, body="<html>challenge</html>"), Unavailable, None),
        (Fault(status=202, body=""), Unavailable, None),
        (Fault(status=200, body="<html>challenge</html>"), Unavailable, None),
    ],
    ids=range(7),
)
async def test_what_is_to_be_sent_later(thumbtack, client, fault, error, pause):
    thumbtack.faults.add("message", fault)
    with pytest.raises(error) as later:
        await send(client)
    assert later.value.retry_after == pause
    assert thumbtack.sent == []
    await send(client)
    assert len(thumbtack.sent) == 1


async def test_what_is_refused(thumbtack, client):
    for status in (400, 403, 404, 409, 451):
        thumbtack.faults.add("message", Fault(status=status))
        with pytest.raises(RequestRejected) as refused:
            await send(client)
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        (Fault(lose_answer=True), True),
        (Fault(cut=True), False),
        (Fault(status=200, body=None), False),
        (Fault(status=200, body={"ok": True}), False),
        (Fault(status=502), False),
        (Fault(status=504), False),
    ],
    ids=range(6),
)
async def test_what_nobody_knows(thumbtack, client, fault, arrived):
    thumbtack.faults.add("message", fault)
    with pytest.raises(OutcomeUnknown):
        await send(client)
    assert bool(thumbtack.sent) is arrived


async def test_a_time_out_after_sending_is_an_unknown_outcome(thumbtack, url):
    thumbtack.faults.add("message", Fault(delay=0.2))
    async with client_of(url, timeout=BRISK) as client:
        with pytest.raises(OutcomeUnknown):
            await send(client)
    assert len(thumbtack.sent) == 1


async def test_an_answer_that_trickles_meets_the_deadline():
    async def trickle(_):
        while True:
            yield b" "
            await asyncio.sleep(0.01)  # slow on purpose: each byte is in time, the whole is not

    async def app(scope, receive, send):
        await StreamingResponse(trickle(None), media_type="application/json")(scope, receive, send)

    async with serving(app) as address, client_of(address, deadline=0.1) as client:
        with pytest.raises(OutcomeUnknown):
            await send(client)


async def test_nobody_listening_means_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    async with client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(Unavailable) as later:
            await send(client)
    assert later.value.status is None
    assert later.value.retry_after is None


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol],
)
async def test_every_failure_before_the_connection_means_nothing_was_sent(failure):
    async with client_of("http://127.0.0.1", transport=httpx.MockTransport(_raise(failure("no")))) as client:
        with pytest.raises(Unavailable):
            await send(client)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.ReadError,
        httpx.WriteError,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.DecodingError,
    ],
)
async def test_every_failure_after_the_connection_is_an_unknown_outcome(failure):
    async with client_of("http://127.0.0.1", transport=httpx.MockTransport(_raise(failure("broken")))) as client:
        with pytest.raises(OutcomeUnknown):
            await send(client)
        with pytest.raises(Unavailable):
            await client.create_test_lead()


def _raise(error):
    def handler(_):
        raise error

    return handler


async def test_a_test_lead_is_made_and_can_be_answered(thumbtack, client):
    lead = await client.create_test_lead(business_id="510000000000000199")
    assert isinstance(lead, LeadReceived)
    assert lead.business.thumbtack_id == "510000000000000199"
    await client.send_message_v1(business_id="510000000000000199", lead_id=lead.lead_id, text="Hello")
    assert thumbtack.received(lead.lead_id) == ["Hello"]
    assert (await client.create_test_lead()).lead_id != lead.lead_id


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=200, body={"no": "lead"}), UnexpectedResponse),
        (Fault(status=200, body=None), UnexpectedResponse),
        (Fault(status=502), Unavailable),
        (Fault(lose_answer=True), Unavailable),
        (Fault(status=401), ReconnectRequired),
    ],
    ids=range(5),
)
async def test_a_test_lead_that_fails(thumbtack, client, fault, error):
    thumbtack.faults.add("create-lead", fault)
    with pytest.raises(error):
        await client.create_test_lead()


async def test_what_a_request_looks_like_and_that_its_connection_is_used_again():
    seen = []

    async def app(scope, receive, send):
        request = Request(scope, receive)
        seen.append((scope["raw_path"], scope["client"], dict(request.headers), await request.body()))
        await JSONResponse({"status": "success"})(scope, receive, send)

    async with serving(app) as address, client_of(address) as client:
        for lead_id in ("..", "a/b?c#d", "%2e", "\ud800"):
            await client.send_message_v1(business_id="1", lead_id=lead_id, text="é")
    assert [path for path, _, _, _ in seen] == [
        b"/v1/business/1/lead/%2E%2E/message",
        b"/v1/business/1/lead/a%2Fb%3Fc%23d/message",
        b"/v1/business/1/lead/%252e/message",
        b"/v1/business/1/lead/%EF%BF%BD/message",
    ]
    assert len({peer for _, peer, _, _ in seen}) == 1
    headers, body = seen[0][2:]
    assert headers["user-agent"] == "Corkboard/1.2.3 (+Slack bot for Thumbtack pros)"
    assert headers["content-type"] == "application/json"
    assert headers["accept"] == "application/json"
    assert body == '{"text":"é"}'.encode()


async def test_a_stand_in_is_not_reached_through_a_proxy(thumbtack, url, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with client_of(url) as client:
        await send(client)
    assert len(thumbtack.sent) == 1
