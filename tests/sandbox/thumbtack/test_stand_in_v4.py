"""The v4 API of the stand-in: who is let in, the pro, leads, messages and reviews."""

import pytest
from support.consents import EVERYTHING, OTHER, PRO, Bearer, granting

from sandbox.thumbtack import bodies

NEGOTIATION = "/api/v4/negotiations/7"
MESSAGES = f"{NEGOTIATION}/messages"


async def test_the_pro_and_their_businesses(http, as_v4):
    bearer = as_v4(businesses=[OTHER, PRO])
    told = (await http.get("/api/v4/businesses", auth=bearer)).json()
    assert [(one["businessID"], one["name"]) for one in told["data"]] == [
        (OTHER, "Bright <Oak> & Sons"),
        (PRO, "Bright Oak"),
    ]
    assert told["pagination"] == {"limit": 20}
    page = (await http.get("/api/v4/businesses", params={"limit": 1, "offset": 1}, auth=bearer)).json()
    assert [one["businessID"] for one in page["data"]] == [PRO]
    assert (await http.get("/api/v4/users/self", auth=bearer)).json()["userID"] == "1337"


async def test_who_is_not_let_in(thumbtack, http, clock, as_v4):
    for token in ("", "nonsense", granting(thumbtack, "legacy").access_token):
        refused = await http.get("/api/v4/businesses", auth=Bearer(token))
        assert refused.status_code == 401
        assert refused.json()["traceID"]
    for audience in (None, "urn:other"):
        refused = await http.get("/api/v4/businesses", auth=as_v4(audience=audience))
        assert (refused.status_code, refused.json()["detail"]) == (502, "proxy_oauth_failed")
    bearer = as_v4()
    clock.advance(hours=1)
    assert (await http.get("/api/v4/businesses", auth=bearer)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/businesses", "supply::businesses.list"),
        ("GET", "/users/self", "supply::users.read"),
        ("GET", "/negotiations/7", "supply::negotiations.read"),
        ("GET", "/negotiations/7/messages", "supply::messages.read"),
        ("POST", "/negotiations/7/messages", "supply::messages.write"),
        ("GET", f"/businesses/{PRO}/webhooks", "supply::webhooks.read"),
        ("POST", f"/businesses/{PRO}/webhooks", "supply::webhooks.write"),
        ("POST", f"/businesses/{PRO}/webhooks/test-negotiation", "supply::webhooks.write"),
        ("DELETE", f"/businesses/{PRO}/webhooks/1", "supply::webhooks.write"),
        ("GET", f"/businesses/{PRO}/associate-phone-numbers", "supply::businesses/associate-phone-numbers.read"),
        ("POST", f"/businesses/{PRO}/associate-phone-numbers", "supply::businesses/associate-phone-numbers.write"),
        ("PUT", f"/businesses/{PRO}/associate-phone-numbers/1", "supply::businesses/associate-phone-numbers.write"),
        ("DELETE", f"/businesses/{PRO}/associate-phone-numbers/1", "supply::businesses/associate-phone-numbers.write"),
        (
            "POST",
            f"/businesses/{PRO}/associate-phone-numbers-bulk-create",
            "supply::businesses/associate-phone-numbers.write",
        ),
    ],
)
async def test_a_missing_scope_is_named(http, as_v4, method, path, scope):
    all_others = [one for one in EVERYTHING.split() if one != scope]
    refused = await http.request(method, f"/api/v4{path}", json={}, auth=as_v4(scopes=all_others))
    assert (refused.status_code, refused.json()["detail"]) == (401, f"required scope(s) [{scope}] not found")


async def test_a_message_is_sent_and_found_again(thumbtack, http, as_v4, clock):
    bearer = as_v4()
    thumbtack.world.ask("7", {"messageID": "1", "text": "Are you free?"})
    clock.advance(minutes=1)
    made = await http.post(MESSAGES, json={"text": "Yes, at nine."}, auth=bearer)
    assert made.status_code == 201
    (sent,) = thumbtack.sent
    assert (sent.business_id, sent.lead_id, sent.via) == (PRO, "7", "v4")
    assert made.json()["messageID"] == sent.message_id
    assert (made.json()["from"], made.json()["sentAt"]) == ("Business", "2026-03-01T12:01:00.000000Z")
    found = (await http.get(MESSAGES, auth=bearer)).json()
    assert [(one["from"], one["text"]) for one in found["data"]] == [
        ("Business", "Yes, at nine."),
        ("Customer", "Are you free?"),
    ]
    assert found["pagination"] == {"limit": 10}
    assert (await http.get("/api/v4/negotiations/8/messages", auth=bearer)).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ({"limit": "1"}, ["b"]),
        ({"sentBefore": "2026-03-01T12:01:00Z"}, ["a"]),
        ({"sentAfter": "2026-03-01T12:00:00+00:00"}, ["b"]),
        ({"sentAfter": "2026-03-01T11:59:59.5Z", "limit": "20"}, ["b", "a"]),
        ({"limit": "21"}, None),
        ({"limit": "0"}, None),
        ({"limit": "x"}, None),
        ({"sentBefore": "yesterday"}, None),
        ({"sentAfter": "2026-03-01T12:00:00"}, None),
    ],
    ids=str,
)
async def test_pages_of_messages(http, as_v4, clock, query, texts):
    bearer = as_v4()
    await http.post(MESSAGES, json={"text": "a"}, auth=bearer)
    clock.advance(minutes=1)
    await http.post(MESSAGES, json={"text": "b"}, auth=bearer)
    answer = await http.get(MESSAGES, params=query, auth=bearer)
    assert answer.status_code == (400 if texts is None else 200)
    assert [one["text"] for one in answer.json().get("data", [])] == (texts or [])


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 5}, {"text": "x" * 16_385}, ["Hello"]], ids=range(5))
async def test_messages_that_are_refused(thumbtack, http, as_v4, body):
    assert (await http.post(MESSAGES, json=body, auth=as_v4())).status_code == 400
    assert thumbtack.sent == []


async def test_a_lead_belongs_to_one_business(thumbtack, http, as_v4):
    lead = bodies.lead(leadID="7", business={"businessID": PRO}, createTimestamp="1772366400")
    thumbtack.world.remember(lead)
    told = (await http.get(NEGOTIATION, auth=as_v4(businesses=[OTHER, PRO]))).json()
    assert told["negotiationID"] == "7"
    assert told["business"] == {"businessID": PRO, "name": "Bright Oak"}
    assert told["customer"]["displayName"] == "Maya Alvarez"
    assert told["category"]["name"] == "Interior Painting"
    assert told["createTime"] == "2026-03-01T12:00:00.000000Z"
    assert (await http.get(NEGOTIATION, auth=as_v4(businesses=[OTHER]))).status_code == 404
    assert (await http.post(MESSAGES, json={"text": "x"}, auth=as_v4(businesses=[OTHER]))).status_code == 404


async def test_reviews(thumbtack, http, as_v4):
    for lead_id, rating in ((None, "1"), ("7", "5")):
        pushed = bodies.review(lead_id, rating, "Good", review={"businessID": PRO, "createTime": "1772366400000"})
        thumbtack.world.reviews.append(pushed["review"])
    url = f"/api/v4/businesses/{PRO}/reviews"
    told = (await http.get(url, auth=as_v4())).json()
    assert [(one["rating"], one["negotiationID"]) for one in told["data"]] == [(1, None), (5, "7")]
    assert told["data"][1]["reviewerName"] == "Maya A."
    assert told["data"][1]["createTime"] == "2026-03-01T12:00:00.000000Z"
    assert told["pagination"] == {"limit": 10, "offset": 0}
    page = (await http.get(url, params={"offset": 1}, auth=as_v4())).json()
    assert [one["rating"] for one in page["data"]] == [5]
    assert (await http.get(url, auth=as_v4(businesses=[OTHER]))).status_code == 404
