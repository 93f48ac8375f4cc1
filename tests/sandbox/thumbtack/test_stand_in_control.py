"""The remote control of the pro's side: businesses, what consents grant, and tokens that expire or are revoked."""

import pytest
from support.consents import OTHER, PRO, Bearer, answered, consent_url, granting

INFO = "/legacy/v2/get-thumbtack-info"


async def test_tokens_expire_and_are_revoked(thumbtack, http):
    pair = granting(thumbtack, "legacy")
    await http.post("/control/revoke", json={"generation": "v4"})
    await http.post("/control/revoke", json={"business_id": OTHER})
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 200
    assert (await http.post("/control/expire")).status_code == 200
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 401
    pair = thumbtack.grants.renew("legacy", pair.refresh_token)
    assert (await http.post("/control/revoke")).json() == {"generation": None, "business_id": None}
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 401


async def test_businesses_and_scopes(thumbtack, http):
    await http.post("/control/business", json={"business_id": "77", "name": "Third"})
    await http.post("/control/scopes", json={"legacy": ["messages"]})
    assert thumbtack.grants.granted_scopes == {"legacy": ("messages",)}
    back = answered(await thumbtack.consent(consent_url("legacy"), businesses=["77"]))
    assert back["scope"] == "messages"


async def test_it_tells_what_the_pro_allowed(thumbtack, http, as_legacy):
    bearer = as_legacy()
    targeting = f"/legacy/v3/accounts/~/services/{PRO}/preferences/targeting"
    await http.patch(targeting, json={"enabled": "false"}, auth=bearer)
    thumbtack.add_phone_number(PRO, "+16505550101")
    thumbtack.subscriptions.add(PRO, "https://bot.example/a")
    told = (await http.get("/control/pro")).json()
    assert told["businesses"] == {PRO: "Bright Oak", OTHER: "Bright <Oak> & Sons"}
    assert [one["businesses"] for one in told["consents"]] == [[PRO]]
    assert [(one["business_id"], one["enabled"]) for one in told["targeting"]] == [(PRO, False)]
    assert told["phones"] == {PRO: ["+16505550101"], OTHER: []}
    assert told["webhooks"] == {PRO: ["https://bot.example/a"], OTHER: []}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("business", {"business_id": "1"}),
        ("scopes", {"v4": "messages"}),
        ("revoke", {"generation": "v5"}),
        ("revoke", []),
    ],
)
async def test_orders_that_make_no_sense(http, path, body):
    answer = await http.post(f"/control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
