"""The Pro API of the stand-in behind a Bearer token: messages (v2) and targeting (v3)."""

import asyncio

import pytest
from support.consents import OTHER, PRO, Bearer, granting

HELLO = {"text": "Hello"}
MESSAGE = f"/legacy/v2/business/{PRO}/lead/7/message"
SERVICE = f"/legacy/v3/accounts/~/services/{PRO}"
WHOLE, CATEGORY = f"{SERVICE}/preferences/targeting", f"{SERVICE}/categories/42/preferences/targeting"


async def test_a_message_reaches_the_customer(thumbtack, http, as_legacy, clock):
    answer = await http.post(MESSAGE, json=HELLO, auth=as_legacy())
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    (sent,) = thumbtack.sent
    assert (sent.business_id, sent.lead_id, sent.text, sent.via, sent.at) == (PRO, "7", "Hello", "v2", clock.now)


@pytest.mark.parametrize("call", [("POST", MESSAGE, HELLO), ("PATCH", WHOLE, {"enabled": "true"})], ids=str)
async def test_who_is_not_let_in(thumbtack, http, clock, call):
    method, path, body = call
    pair = granting(thumbtack, "legacy")
    for token in ("", "nonsense", granting(thumbtack, "v4").access_token, pair.refresh_token):
        refused = await http.request(method, path, json=body, auth=Bearer(token))
        assert (refused.status_code, refused.json()["code"]) == (401, "INVALID_TOKEN")
    assert (await http.request(method, path, json=body, auth=("u", "p"))).status_code == 401
    clock.advance(hours=1)
    assert (await http.request(method, path, json=body, auth=Bearer(pair.access_token))).status_code == 401
    other_scope = granting(thumbtack, "legacy", scopes=["bookings"]).access_token
    refused = await http.request(method, path, json=body, auth=Bearer(other_scope))
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert thumbtack.sent == thumbtack.targeting_calls == []


async def test_a_message_for_another_business(http, as_legacy):
    refused = await http.post(MESSAGE, json=HELLO, auth=as_legacy(businesses=[OTHER]))
    assert refused.status_code == 404


async def test_targeting_is_set(thumbtack, http, as_legacy, clock):
    bearer = as_legacy()
    for path, enabled in ((WHOLE, "false"), (CATEGORY, "false"), (WHOLE, "true")):
        answer = await http.patch(path, json={"enabled": enabled}, auth=bearer)
        assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert thumbtack.targeting == {(PRO, None): True, (PRO, "42"): False}
    told = [(call.business_id, call.category_id, call.enabled, call.at) for call in thumbtack.targeting_calls]
    assert told == [(PRO, None, False, clock.now), (PRO, "42", False, clock.now), (PRO, None, True, clock.now)]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (WHOLE, {"enabled": True}, 400),
        (WHOLE, {"enabled": "yes"}, 400),
        (WHOLE, {"enabled": ["true"]}, 400),
        (WHOLE, {}, 400),
        (WHOLE, [], 400),
        (SERVICE.replace(PRO, "me") + "/preferences/targeting", {"enabled": "true"}, 400),
        (CATEGORY.replace("42", "painting"), {"enabled": "true"}, 400),
        (WHOLE.replace(PRO, OTHER), {"enabled": "true"}, 401),
        (CATEGORY.replace("42", "43"), {"enabled": "true"}, 404),
        (SERVICE, {"enabled": "true"}, 404),
    ],
)
async def test_targeting_that_is_refused(thumbtack, http, as_legacy, path, body, status):
    thumbtack.know_categories("42")
    assert (await http.patch(path, json=body, auth=as_legacy())).status_code == status
    assert thumbtack.targeting == {}


async def test_the_content_type_is_required(thumbtack, http, as_legacy):
    refused = await http.patch(WHOLE, content=b'{"enabled": "true"}', auth=as_legacy())
    assert (refused.status_code, refused.json()["detail"]) == (400, "Content-Type must be application/json.")
    assert thumbtack.targeting == {}


async def test_waiting_until_targeting_was_set(thumbtack, http, as_legacy):
    waiting = asyncio.create_task(thumbtack.wait_until(lambda: thumbtack.targeting.get((PRO, None)) is False))
    await asyncio.sleep(0)  # it is waiting from here on
    assert not waiting.done()
    await http.patch(WHOLE, json={"enabled": "false"}, auth=as_legacy())
    await waiting
    assert thumbtack.targeting == {(PRO, None): False}
