"""v4's webhooks at the stand-in: made, listed without their secrets, replaced, removed, and tried out."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.consents import OTHER, PRO

WEBHOOKS = f"/api/v4/businesses/{PRO}/webhooks"
WANTED = {
    "webhookURL": "https://bot.example/v4/webhooks/1",
    "eventTypes": ["MessageCreatedV4", "NegotiationCreatedV4"],
    "enabled": True,
    "auth": {"username": "hello", "password": "world"},
}


async def test_the_life_of_a_webhook(thumbtack, http, as_v4):
    bearer = as_v4()
    made = await http.post(WEBHOOKS, json=WANTED, auth=bearer)
    told = made.json()
    assert made.status_code == 201
    one = f"{WEBHOOKS}/{told['webhookID']}"
    assert told == {
        "webhookID": told["webhookID"],
        "webhookURL": WANTED["webhookURL"],
        "enabled": True,
        "authType": "Basic",
        "businessID": PRO,
        "eventTypes": WANTED["eventTypes"],
    }
    assert (await http.get(WEBHOOKS, auth=bearer)).json() == {"data": [told]}
    changed = await http.put(one, json=WANTED | {"auth": {"header": "X-Key", "value": "1"}}, auth=bearer)
    assert changed.json() == told | {"authType": "CustomHeader"}
    assert (await http.put(one, json=WANTED | {"auth": None, "enabled": False}, auth=bearer)).status_code == 200
    assert (await http.get(one, auth=bearer)).json() == told | {"authType": "None", "enabled": False}
    assert (await http.delete(one, auth=bearer)).status_code == 204
    assert (await http.delete(one, auth=bearer)).status_code == 404
    assert thumbtack.subscriptions.of(PRO) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhookURL": "http://bot.example/"},
        {"webhookURL": None},
        {"eventTypes": []},
        {"eventTypes": ["MessageCreated"]},
        {"eventTypes": "MessageCreatedV4"},
        {"auth": {"username": "hello"}},
        {"auth": "Basic"},
    ],
    ids=str,
)
async def test_webhooks_that_are_refused(http, as_v4, wrong):
    assert (await http.post(WEBHOOKS, json=WANTED | wrong, auth=as_v4())).status_code == 400


async def test_a_bot_on_this_machine_needs_no_certificate(http, as_v4):
    local = WANTED | {"webhookURL": "http://127.0.0.1:8000/v4/webhooks"}
    assert (await http.post(WEBHOOKS, json=local, auth=as_v4())).status_code == 201


async def test_webhooks_of_another_business(http, as_v4):
    assert (await http.get(WEBHOOKS, auth=as_v4(businesses=[OTHER]))).status_code == 404


async def test_a_test_lead_goes_to_every_webhook_that_wants_leads(thumbtack, http, as_v4):
    heard = []

    async def listen(request):
        heard.append((request.url.path, request.headers, await request.json()))
        return JSONResponse({})

    bot = Starlette(routes=[Route("/{path:path}", listen, methods=["POST"])])
    thumbtack.webhook_url = "http://bot"
    thumbtack._client = httpx.AsyncClient(transport=httpx.ASGITransport(bot))
    basic = thumbtack.subscriptions.add(PRO, "https://bot.example/a", auth={"username": "u", "password": "p"})
    thumbtack.subscriptions.add(PRO, "https://bot.example/b", auth={"header": "X-Key", "value": "1"})
    thumbtack.subscriptions.add(PRO, "https://bot.example/c", "MessageCreatedV4")
    thumbtack.subscriptions.add(PRO, "https://bot.example/d")
    assert (await http.post(f"{WEBHOOKS}/test-negotiation", json={}, auth=as_v4())).status_code == 200
    assert [path for path, _, _ in heard] == ["/a", "/b", "/d"]
    assert heard[0][1]["authorization"].startswith("Basic ")
    assert heard[1][1]["x-key"] == "1"
    assert "authorization" not in heard[2][1]
    event, data = heard[0][2]["event"], heard[0][2]["data"]
    assert (event["eventType"], event["webhookID"]) == ("NegotiationCreatedV4", basic.webhook_id)
    assert data["business"] == {"businessID": PRO, "name": "Test Business for Webhooks"}
    await thumbtack._client.aclose()


async def test_a_bot_that_is_away_misses_it(thumbtack, http, as_v4):
    thumbtack.webhook_url = "http://127.0.0.1:9"
    thumbtack.subscriptions.add(PRO, "https://bot.example/a")
    assert (await http.post(f"{WEBHOOKS}/test-negotiation", auth=as_v4())).status_code == 200
    await thumbtack.aclose()
