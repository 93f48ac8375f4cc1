"""What is asked of the Pro API in the name of a business, and what is made of its answers."""

import base64
from functools import partial

import pytest
from support.scripted import LEGACY_CLIENT

from webhooks.thumbtack.errors import (
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
    Unavailable,
    UnexpectedResponse,
)

SUCCESS = {"status": "success"}


async def test_a_reply(client, api, store):
    api.answer(SUCCESS)
    await client.send_message_v2(store, business_id="395023207611023372", lead_id="a/../b", text="x\x00\ud800")
    assert (api.last.method, api.last.path) == (
        "POST",
        "/legacy/v2/business/395023207611023372/lead/a%2F..%2Fb/message",
    )
    assert api.last.json == {"text": "x\ufffd\ufffd"}


@pytest.mark.parametrize("answer", [None, {}, {"status": "queued"}, b"", b"success"])
async def test_a_reply_that_nobody_confirms(client, api, store, answer):
    api.answer(answer)
    with pytest.raises(OutcomeUnknown):
        await client.send_message_v2(store, business_id="1", lead_id="2", text="x")


@pytest.mark.parametrize(
    ("category", "enabled", "path", "word"),
    [
        (None, True, "/services/44/preferences/targeting", "true"),
        (None, False, "/services/44/preferences/targeting", "false"),
        ("109", False, "/services/44/categories/109/preferences/targeting", "false"),
        ("..", True, "/services/44/categories/%2E%2E/preferences/targeting", "true"),
    ],
)
async def test_targeting(client, api, store, category, enabled, path, word):
    api.answer(SUCCESS)
    await client.set_targeting(store, business_id="44", category_id=category, enabled=enabled)
    assert (api.last.method, api.last.path) == ("PATCH", f"/legacy/v3/accounts/~{path}")
    assert api.last.json == {"enabled": word}
    assert api.last.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (None, 200, UnexpectedResponse),
        ({"status": "failure"}, 200, UnexpectedResponse),
        (b"", 200, UnexpectedResponse),
        (b"<html>challenge</html>", 202, Unavailable),
        ({"message": "Invalid ServiceID type"}, 400, RequestRejected),
        ({"error": "INSUFFICIENT_SCOPE"}, 403, ScopeMissing),
        ({"message": "Missing ServiceID"}, 404, RequestRejected),
        (None, 409, RequestRejected),
        (None, 429, RateLimited),
        (None, 502, Unavailable),
        (None, 503, Unavailable),
    ],
)
async def test_targeting_that_did_not_happen(client, api, store, body, status, error):
    api.answer(body, status)
    with pytest.raises(error) as refused:
        await client.set_targeting(store, business_id="44", category_id=None, enabled=False)
    assert refused.value.status == status


async def test_targeting_of_a_business_that_is_not_the_tokens(client, api, store):
    api.answer(None, 401).answer(None, 401)
    with pytest.raises(ReconnectRequired) as refused:
        await client.set_targeting(store, business_id="44", category_id=None, enabled=False)
    assert refused.value.status == 401


async def test_a_disconnect(client, api):
    api.answer({"business_pk": "43", "client_id": "THUMBTACK INTERNAL"})
    await client.disconnect(business_id="43&x")
    assert (api.last.method, api.last.path, api.last.query) == (
        "POST",
        "/legacy/v2/disconnect-partner",
        {"business_pk": "43&x"},
    )
    shown = base64.b64encode(f"{LEGACY_CLIENT.username}:{LEGACY_CLIENT.password}".encode()).decode()
    assert api.last.headers["authorization"] == f"Basic {shown}"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, RequestRejected, "invalid_client"),
        (404, RequestRejected, None),
        (502, Unavailable, None),
        (503, Unavailable, None),
    ],
)
async def test_a_disconnect_that_did_not_happen(client, api, status, error, code):
    api.answer(b"", status)
    with pytest.raises(error) as refused:
        await client.disconnect(business_id="43")
    assert getattr(refused.value, "code", None) == code


async def test_a_disconnect_without_a_client(connect, api):
    with pytest.raises(ReconnectRequired, match="No OAuth client"):
        await connect(legacy_client=None).disconnect(business_id="43")
    assert api.heard == []


async def test_every_call_says_who_we_are(client, api, store):
    calls = [
        partial(client.send_message_v2, store, business_id="1", lead_id="2", text="x"),
        partial(client.set_targeting, store, business_id="1", category_id=None, enabled=True),
        partial(client.disconnect, business_id="1"),
    ]
    for call in calls:
        api.answer(SUCCESS)
        await call()
    assert {one.headers["user-agent"] for one in api.heard} == {"Corkboard/1.2.3 (+Slack bot for Thumbtack pros)"}
