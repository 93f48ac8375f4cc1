"""Calls in the name of a connected business: its token is shown, renewed when it is refused, and nothing else."""

import asyncio

import httpx
import pytest
from support.scripted import Store

from webhooks.thumbtack.errors import (
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
    Unavailable,
)

SUCCESS = {"status": "success"}
NO_SCOPE = {"detail": "required scope(s) [supply::messages.write] not found"}


async def send(client, store, text="Hello"):
    await client.send_message_v2(store, business_id="biz", lead_id="lead", text=text)


def shown(api):
    return [one.headers["authorization"] for one in api.heard]


async def test_the_token_is_shown(client, api, store):
    api.answer(SUCCESS)
    await send(client, store)
    assert shown(api) == ["Bearer access-1"]
    assert store.refused == []


async def test_a_refused_token_is_renewed_and_the_call_repeated_once(client, api, store):
    api.answer({"error": "INVALID_TOKEN"}, 401).answer(SUCCESS)
    await send(client, store, "Yes — “here”")
    assert shown(api) == ["Bearer access-1", "Bearer access-2"]
    assert store.refused == ["access-1"]
    assert [one.json for one in api.heard] == [{"text": "Yes — “here”"}] * 2


async def test_a_new_token_that_is_refused_too_wants_a_reconnect(client, api):
    store = Store("access-1", "access-2", "access-3")
    api.answer(None, 401).answer({"traceID": "t"}, 401)
    with pytest.raises(ReconnectRequired) as refused:
        await send(client, store)
    assert (refused.value.status, refused.value.trace_id) == (401, "t")
    assert store.refused == ["access-1"]
    assert len(api.heard) == 2


@pytest.mark.parametrize("body", [NO_SCOPE, {"error": "INSUFFICIENT_SCOPE"}, {"error": "insufficient_scope"}])
async def test_a_missing_scope_renews_nothing(client, api, store, body):
    api.answer(body, 401)
    with pytest.raises(ScopeMissing):
        await send(client, store)
    assert store.refused == []
    assert len(api.heard) == 1


async def test_a_token_that_cannot_be_renewed(client, api):
    api.answer(None, 401)
    with pytest.raises(ReconnectRequired) as refused:
        await send(client, Store("access-1"))
    assert refused.value.status is None


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(403, NO_SCOPE, ScopeMissing), (429, None, RateLimited), (400, None, RequestRejected), (503, None, Unavailable)],
)
async def test_what_is_not_about_the_token_renews_nothing(client, api, store, status, body, error):
    api.answer(body, status)
    with pytest.raises(error):
        await send(client, store)
    assert store.refused == []
    assert len(api.heard) == 1


async def test_the_second_call_is_judged_like_any(client, api, store):
    api.answer(None, 401).answer(None, 502)
    with pytest.raises(OutcomeUnknown):
        await send(client, store)
    api.answer(None, 401).answer(None, 429)
    with pytest.raises(RateLimited):
        await send(client, Store())


class Stuck(Store):
    """Gives no token (at once, or no newer one) before the call's deadline."""

    def __init__(self, *, has_one):
        super().__init__("access-1")
        self.has_one = has_one

    async def access_token(self):
        return "access-1" if self.has_one else await asyncio.Event().wait()

    async def renewed(self, _):
        await asyncio.Event().wait()


@pytest.mark.parametrize("has_one", [True, False])
async def test_waiting_for_a_token_leaves_nothing_unknown(connect, api, has_one):
    api.answer(None, 401)
    client = connect(deadline=0.2)
    with pytest.raises(Unavailable):
        await send(client, Stuck(has_one=has_one))
    assert len(api.heard) == has_one
    await client.aclose()


async def test_a_refusal_that_breaks_off_leaves_nothing_unknown(connect, store):
    async def half():
        yield b'{"error": '
        raise httpx.ReadError("cut")

    client = connect(transport=httpx.MockTransport(lambda _: httpx.Response(401, content=half())))
    with pytest.raises(Unavailable):
        await send(client, store)


async def test_a_store_that_cannot_give_one_is_heard(client, api):
    class Busy(Store):
        async def access_token(self):
            raise Unavailable(retry_after=3.0)

    with pytest.raises(Unavailable) as later:
        await send(client, Busy())
    assert later.value.retry_after == 3.0
    assert api.heard == []
