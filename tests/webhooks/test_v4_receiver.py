"""v4's webhooks: who may call them, what is refused, what is the same, and that nothing odd is lost or answered 500."""

import base64
import copy
import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gate import PASSWORD, PREVIOUS, SECRET, USER, Gate, gate

from storage import inbox
from storage.models import Business, Inbox, Lead, Message, Outbox, Review
from storage.outbox import Kind

PAYLOADS = Path(__file__).parents[1] / "payloads"
SAMPLES: dict[str, Any] = {
    path.stem: body for path in sorted(PAYLOADS.glob("v4_*.json")) if "event" in (body := json.loads(path.read_bytes()))
}
ADDRESSES = [
    prefix + path for prefix in ("", "/staging") for path in ("/v4/webhooks", "/v4/webhooks/590297085345701895")
]
STATUS = {"credentials": 401, "media_type": 415, "too_large": 413, "json": 400, "shape": 400}
ONE_MIB = 1024 * 1024


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


WAYS = {
    "basic": basic(USER, PASSWORD),
    "basic, the password before": basic(USER, PREVIOUS),
    "bearer": {"Authorization": f"Bearer {SECRET}"},
    "bearer in small letters": {"Authorization": f"bearer  {SECRET} "},
    "header": {"X-Webhook-Secret": SECRET},
    "header, beside something else": {"X-Webhook-Secret": SECRET, "Authorization": "Bearer of something"},
    "bearer, beside something else": {"Authorization": f"Bearer {SECRET}", "X-Webhook-Secret": "something"},
}
NO_WAYS = {
    "nothing": {},
    "an empty bearer": {"Authorization": "Bearer "},
    "an empty header": {"X-Webhook-Secret": ""},
    "a wrong bearer": {"Authorization": f"Bearer {SECRET}."},
    "a wrong header": {"X-Webhook-Secret": SECRET[:-1]},
    "the secret alone": {"Authorization": SECRET},
    "the password as a bearer": {"Authorization": f"Bearer {PASSWORD}"},
    "the secret as a password": basic(USER, SECRET),
    "the header's name with Basic": {"X-Webhook-Secret": basic(USER, PASSWORD)["Authorization"]},
    "bytes that are no text": {"X-Webhook-Secret": "\xff\xfe"},
}


def event(kind: Any, data: Any) -> dict[str, Any]:
    return {"event": {"eventType": kind}, "data": data}


def message(message_id: str, lead_id: str, text: str = "hello", **data: Any) -> dict[str, Any]:
    return event("MessageCreatedV4", {"messageID": message_id, "negotiationID": lead_id, "text": text, **data})


async def states(door: Gate) -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in await door.rows(Inbox)]


# What Thumbtack sends


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("name", SAMPLES)
async def test_every_sample_is_taken_at_every_address(sqlite_door, name, path):
    answer = await sqlite_door.post(path, SAMPLES[name])
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert answer.headers["content-type"] == "application/json"
    [row] = await sqlite_door.rows(Inbox)
    assert (row.route, row.environment) == (path, "staging" if path.startswith("/staging") else "production")
    data = SAMPLES[name]["data"]
    assert row.lead_thumbtack_id == data.get("negotiationID")
    named = data.get("business", {}).get("businessID") or (path.endswith("895") and "590297085345701895") or None
    assert row.business_thumbtack_id == named


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_sample_is_understood(door, name):
    await door.ingested(("/v4/webhooks", SAMPLES[name]))
    assert await states(door) == [("done", None)]
    kind, data = SAMPLES[name]["event"]["eventType"], SAMPLES[name]["data"]
    for row, object_id in ((Message, "messageID"), (Review, "reviewID")):
        assert [one.thumbtack_id for one in await door.rows(row)] == [data.get(object_id)] * (object_id in data)
    makes_lead = "negotiationID" in data and not kind.startswith("PresetJob")
    assert [one.thumbtack_id for one in await door.rows(Lead)] == [data.get("negotiationID")] * makes_lead


async def test_all_samples_together_make_one_lead_of_each_id(door):
    await door.ingested(*(("/v4/webhooks", body) for body in SAMPLES.values()))
    await door.ingested(*(("/v4/webhooks", body) for body in reversed(SAMPLES.values())))
    assert {state for state, _ in await states(door)} == {"done"}
    leads = [row.thumbtack_id for row in await door.rows(Lead)]
    assert sorted(leads) == sorted(set(leads))
    assert set(leads) == {body["data"].get("negotiationID") for body in SAMPLES.values()} - {None}


# Who may call


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("way", WAYS)
async def test_each_way_opens_v4(sqlite_door, way, path):
    headers = {"Content-Type": "application/json", **WAYS[way]}
    answer = await sqlite_door.post(path, SAMPLES["v4_message_from_customer"], headers=headers, auth=None)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("way", NO_WAYS)
async def test_nothing_else_opens_it(sqlite_door, way, path):
    headers = [(name, value.encode("latin-1")) for name, value in NO_WAYS[way].items()]
    answer = await sqlite_door.http.post(
        path, json=SAMPLES["v4_message_from_customer"], headers=[("Content-Type", b"application/json"), *headers]
    )
    assert (answer.status_code, answer.json()["reason"]) == (401, "credentials")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert await sqlite_door.rows(Inbox) == []


@pytest.mark.parametrize("way", ["bearer", "header"])
async def test_the_secret_does_not_open_the_pro_apis_addresses(sqlite_door, way):
    answer = await sqlite_door.http.post("/v1/lead", json={"leadID": "1"}, headers=WAYS[way])
    assert answer.status_code == 401


async def test_a_secret_that_is_not_plain_ascii(sqlite_url):
    async with gate(sqlite_url, secret="geheim-ß") as door:
        headers = [("Content-Type", b"application/json"), ("X-Webhook-Secret", "geheim-ß".encode())]
        answer = await door.http.post("/v4/webhooks", json=message("1", "2"), headers=headers)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("set_up", "opens"),
    [
        ({"secret": None}, {"basic"}),
        ({"credentials": None}, {"bearer", "header"}),
    ],
)
async def test_one_kind_of_credentials_is_enough(sqlite_url, set_up, opens):
    async with gate(sqlite_url, **set_up) as door:
        for way in ("basic", "bearer", "header"):
            answer = await door.http.post("/v4/webhooks", json=message("1", "2"), headers=WAYS[way])
            assert answer.status_code == (200 if way in opens else 401)


@pytest.mark.parametrize("path", ADDRESSES)
async def test_without_any_nothing_else_is_looked_at(sqlite_url, path):
    async with gate(sqlite_url, credentials=None, secret=None) as door:
        for headers in (*WAYS.values(), {}):
            answer = await door.http.post(path, content=b"{", headers=headers)
            assert (answer.status_code, answer.json()["reason"]) == (503, "not_configured")


# What is refused


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("mistakes", [1, 2, 3, 4])
async def test_of_several_mistakes_the_first_in_the_contracts_order_is_told(sqlite_door, mistakes, path):
    for way, some in itertools.product(["basic", "bearer", "header"], itertools.combinations(STATUS, mistakes)):
        wrong = set(some)
        body = b"{]" if "json" in wrong else b"{}" if "shape" in wrong else json.dumps(message("1", "2")).encode()
        headers = {
            "Content-Type": "text/plain" if "media_type" in wrong else "application/json",
            **({} if "credentials" in wrong else WAYS[way]),
        }
        content = body + b" " * ONE_MIB if "too_large" in wrong else body
        answer = await sqlite_door.http.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (STATUS[some[0]], some[0])
    assert await sqlite_door.rows(Inbox) == []


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_told_which_one_is_taken(sqlite_door, method, path):
    answer = await sqlite_door.post(path, {}, method=method)
    assert (answer.status_code, answer.json()["reason"], answer.headers["allow"]) == (405, "method", "POST")


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        "MessageCreatedV4",
        {},
        {"event": None},
        {"event": "MessageCreatedV4"},
        {"event": {"eventType": None}, "data": {"negotiationID": "1"}},
        {"event": {"eventType": " "}},
        {"event": {"eventType": ["MessageCreatedV4"]}},
        {"event": {"eventType": True}},
        {"eventType": "MessageCreatedV4", "data": {"messageID": "1", "negotiationID": "2"}},
        {"messageID": "1", "negotiationID": "2"},
        event("NegotiationCreatedV4", None),
        event("NegotiationCreatedV4", "1"),
        event("NegotiationCreatedV4", {}),
        event("NegotiationCreatedV4", {"negotiationID": None}),
        event("NegotiationCreatedV4", {"negotiationID": " "}),
        event("NegotiationCreatedV4", {"negotiationID": 1.5}),
        event("NegotiationCreatedV4", {"messageID": "1"}),
        event("MessageCreatedV4", {"negotiationID": "1"}),
        event("MessageCreatedV4", {"messageID": True, "negotiationID": "1"}),
        event("ReviewCreatedV4", {"negotiationID": "1"}),
        event("ReviewCreatedV4", {"reviewID": {}}),
    ],
)
async def test_a_body_without_its_ids_is_refused(sqlite_door, body):
    answer = await sqlite_door.post("/v4/webhooks", body)
    assert (answer.status_code, answer.json()["reason"]) == (400, "shape")


@pytest.mark.parametrize(
    "body",
    [
        event("NegotiationCreatedV4", {"negotiationID": 590299344770662410}),
        event("NegotiationCreatedV4", {"negotiationID": "x" * 5000, "request": [], "customer": 7, "business": "none"}),
        event(" NegotiationCreatedV4 ", {"negotiationID": "\x00\ud800"}),
        event("MessageCreatedV4", {"messageID": 2, "negotiationID": -1, "attachments": {}, "from": ["Customer"]}),
        event("ReviewCreatedV4", {"reviewID": 3, "rating": {}, "images": "none"}),
        event("IncentiveUsedV4", None),
        event("IncentiveUsedV4", []),
        event("PresetJobMatchedV4", {"negotiationID": {}}),
        event("x" * 5000, {}),
        event("\x00", {"negotiationID": "1"}),
        event(7, {}),
        {"event": {"eventType": "SomethingNewV5"}},
    ],
)
async def test_a_body_with_its_ids_is_taken_however_odd_the_rest(door, body):
    assert (await door.post("/v4/webhooks", json.dumps(body).encode())).status_code == 200
    await door.ingested()
    assert await states(door) == [("done", None)]


async def test_a_message_that_does_not_say_of_which_lead_is_kept_and_a_person_is_told(door):
    await door.ingested(("/v4/webhooks", event("MessageCreatedV4", {"messageID": "1", "text": "hello"})))
    assert await states(door) == [("dead", "ShapeError")]
    [notice] = await door.rows(Outbox)
    assert (notice.kind, notice.payload["route"]) == (Kind.POST_NOTICE, "/v4/webhooks")


async def test_what_could_not_be_understood_is_told_with_what_was_and_read_again_after_a_fix(place, monkeypatch):
    async def broken(*_):
        raise ValueError

    with monkeypatch.context() as patched:
        patched.setattr("webhooks.ingest.write", broken)
        assert (await place.post("/v4/webhooks", SAMPLES["v4_negotiation_created"])).status_code == 200
        await place.at_rest()
    [told] = [place.read(card) for card in place.cards]
    assert "/v4/webhooks · NegotiationCreatedV4 · 590299344770662410" in told
    assert "corkboard inbox retry 1" in told
    async with place.database.transaction() as tx:
        assert await inbox.retry(tx, 1, now=place.clock()) == 1
    await place.advance()
    await place.at_rest()
    assert [row.state for row in await place.rows(Inbox)] == ["done"]
    assert len(place.cards) == 2


# Addresses


@pytest.mark.parametrize("named", ["\x00", " ", "a\x00b", "ü", "x" * 6000, "%2e%2e", "?a=b", "#", "a\nb", "\ud7ff"])
async def test_an_odd_business_in_the_address_breaks_nothing(door, named):
    await door.ingested((f"/v4/webhooks/{quote(named, safe='')}", message("1", "2")))
    assert await states(door) == [("done", None)]
    [row] = await door.rows(Inbox)
    assert len(row.route) < 2000
    assert len(await door.rows(Message)) == 1


async def test_the_address_says_which_business_it_is_where_the_body_does_not(door):
    await door.ingested(("/v4/webhooks/553306875926847497", message("1", "2")))
    [business] = await door.rows(Business)
    [lead] = await door.rows(Lead)
    assert (business.thumbtack_id, lead.business_id) == ("553306875926847497", business.id)


async def test_what_the_body_says_of_its_business_counts_more_than_the_address(door):
    body = message("1", "2", business={"businessID": "77", "displayName": "Riverside Plumbing"})
    await door.ingested(("/v4/webhooks/553306875926847497", body))
    [business] = await door.rows(Business)
    assert business.thumbtack_id == "77"


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_slash_at_the_end_is_the_same_address(sqlite_door, path):
    for address in (path, f"{path}/", path):
        assert (await sqlite_door.post(address, SAMPLES["v4_negotiation_created"])).status_code == 200
    [row] = await sqlite_door.rows(Inbox)
    assert row.route == path


async def test_the_environments_are_apart(door):
    for path in ("/v4/webhooks", "/staging/v4/webhooks"):
        await door.ingested((path, SAMPLES["v4_negotiation_created"]))
    assert [lead.environment for lead in await door.rows(Lead)] == ["production", "staging"]


# Sameness


@pytest.mark.parametrize("name", SAMPLES)
async def test_the_same_by_another_webhook_at_another_time_is_the_same(door, name):
    again = copy.deepcopy(SAMPLES[name])
    again["event"] |= {"triggeredAt": "2030-01-01T00:00:00Z", "webhookID": "1"}
    turned = json.dumps({key: again[key] for key in reversed(again)}, indent=1).encode()
    for body in (SAMPLES[name], again, turned):
        assert (await door.post("/v4/webhooks", body)).status_code == 200
    assert len(await door.rows(Inbox)) == 1


async def test_anything_else_that_differs_is_kept(door):
    first = SAMPLES["v4_message_from_customer"]
    other = copy.deepcopy(first)
    other["event"]["description"] = "again"
    later = copy.deepcopy(first)
    later["data"]["sentAt"] = "2026-09-30T09:49:52Z"
    await door.ingested(*(("/v4/webhooks", body) for body in (first, other, later)))
    assert len(await door.rows(Inbox)) == 3
    assert len(await door.rows(Message)) == 1


async def test_by_two_addresses_a_lead_is_one_lead(door):
    body = SAMPLES["v4_negotiation_created"]
    await door.ingested(("/v4/webhooks", body), ("/v4/webhooks/590297085345701895", body))
    assert len(await door.rows(Inbox)) == 2
    [lead] = await door.rows(Lead)
    assert [entry.kind for entry in await door.rows(Outbox)].count(Kind.POST_LEAD) == 1
    assert lead.thumbtack_id == "590299344770662410"


# What is not known


async def test_an_event_that_is_not_known_makes_no_lead_and_says_nothing(door):
    bodies = [SAMPLES["v4_incentive_used"], SAMPLES["v4_preset_job_status_changed"], event("SomethingNewV5", {})]
    await door.ingested(*(("/v4/webhooks", body) for body in bodies))
    assert await states(door) == [("done", None)] * 3
    assert [await door.rows(row) for row in (Lead, Outbox)] == [[], []]


async def test_an_event_that_is_not_known_is_one_line_under_the_lead_that_it_names(place):
    await place.post("/v4/webhooks", SAMPLES["v4_negotiation_created"])
    await place.post("/v4/webhooks", SAMPLES["v4_preset_job_status_changed"])
    await place.post("/v4/webhooks", SAMPLES["v4_preset_job_status_changed"])
    await place.post("/v4/webhooks", SAMPLES["v4_incentive_used"])
    await place.at_rest()
    [card] = place.cards
    [line] = [place.read(one) for one in place.thread(card) if one["text"].startswith("Thumbtack says")]
    assert line.startswith("Thumbtack says: Preset job status changed.")
    assert "PresetJobStatusChangedV4" in line


# Anything at all

fuzzed = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
IDS = frozenset({"negotiationID", "messageID", "reviewID"})
NOTHING: Any = object()
ODD = st.sampled_from(
    [
        NOTHING,
        None,
        "",
        " ",
        [],
        {},
        0,
        -1,
        True,
        1.5,
        "\x00\ud800",
        "x" * 3000,
        [None],
        [{}],
        {"text": 1},
        "2026-02-30T",
    ]
)


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """The same with fields dropped, nulled or replaced at any depth, in another order; the ids stay."""
    if isinstance(value, list):
        return draw(st.permutations([draw(damaged(one)) for one in value]))
    if not isinstance(value, dict):
        return value
    made = {}
    for key in draw(st.permutations(sorted(value))):
        is_kept = key in IDS or key in ("event", "data", "eventType") or draw(st.integers(0, 3)) > 0
        new = draw(damaged(value[key])) if is_kept else draw(ODD)
        if new is not NOTHING:
            made[key] = new
    return made


ANY_SAMPLE = st.sampled_from(sorted(SAMPLES)).flatmap(lambda name: damaged(SAMPLES[name]))


EXAMPLES = itertools.count(1)


def renamed(value: Any, anew: str) -> Any:
    """The same with other ids, for examples share a database; businesses and categories stay."""
    if isinstance(value, list):
        return [renamed(one, anew) for one in value]
    if not isinstance(value, dict):
        return value
    theirs = {key for key in value if key.endswith("ID") and key not in ("businessID", "categoryID", "webhookID")}
    return {
        key: f"{one}-{anew}" if key in theirs and isinstance(one, str) and one.strip() else renamed(one, anew)
        for key, one in value.items()
    }


@fuzzed
@given(given=st.lists(ANY_SAMPLE, min_size=1, max_size=6))
async def test_whatever_is_missing_or_odd_is_taken_and_nothing_is_lost(door, given):
    anew = f"{next(EXAMPLES)}"
    sent = [renamed(body, anew) for body in given]
    for body in sent:
        assert (await door.post("/v4/webhooks", json.dumps(body).encode())).status_code == 200
    await door.ingested()
    assert set(await states(door)) == {("done", None)}
    known = [row.thumbtack_id for row in await door.rows(Lead)]
    assert len(known) == len(set(known))
    kept = {row.thumbtack_id for row in await door.rows(Message)} | {
        row.thumbtack_id for row in await door.rows(Review)
    }
    for body in sent:
        assert body["data"].get("messageID") in {None, *kept}
        assert body["data"].get("reviewID") in {None, *kept}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVENT_TYPES = st.sampled_from([*sorted({body["event"]["eventType"] for body in SAMPLES.values()}), "x"]) | JSON
ID = st.sampled_from(["1", "2", 3, None, " "]) | JSON
ENVELOPE = st.fixed_dictionaries(
    {"event": st.fixed_dictionaries({"eventType": EVENT_TYPES}) | JSON},
    optional={"data": st.dictionaries(st.sampled_from(sorted(IDS)), ID) | JSON},
)


@fuzzed
@given(body=ENVELOPE | JSON, path=st.sampled_from(ADDRESSES))
async def test_any_json_is_taken_or_refused_for_its_shape(door, body, path):
    answer = await door.post(path, json.dumps(body).encode())
    assert answer.status_code == 200 or answer.json()["reason"] in ("json", "shape")
    await door.ingested()
    assert set(await states(door)) <= {("done", None), ("dead", "ShapeError")}


@fuzzed
@given(
    named=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20).filter(lambda t: t not in "../")
)
async def test_any_business_in_the_address_is_answered(sqlite_door, named):
    answer = await sqlite_door.post(f"/v4/webhooks/{quote(named, safe='')}", message("1", "2"))
    assert answer.status_code == (404 if "/" in named else 200)


@settings(fuzzed, max_examples=8)
@given(order=st.permutations([*SAMPLES, *SAMPLES]))
async def test_in_any_order_and_twice_each_lead_has_one_thread_with_all_its_messages(place, order):
    anew, before = f"{next(EXAMPLES)}", {card["ts"] for card in place.cards}
    sent = {name: renamed(body, anew) for name, body in SAMPLES.items()}
    for name in order:
        assert (await place.post("/v4/webhooks", sent[name])).status_code == 200
    await place.ingested()
    await place.at_rest()
    named = {key: {body["data"].get(key) for body in sent.values()} - {None} for key in IDS}
    kept = {"negotiationID": Lead, "messageID": Message, "reviewID": Review}
    for key, row in kept.items():
        ids = [one.thumbtack_id for one in await place.rows(row)]
        assert sorted(one for one in ids if one in named[key]) == sorted(named[key])
    cards = [card for card in place.cards if card["ts"] not in before]
    assert len(cards) == len(named["negotiationID"]) + 2  # and a review that stands by itself, and its picture
    posts = "\n".join(place.read(one) for card in cards for one in place.thread(card))
    for said in ("I have a fence to paint, too.", "Did you get that PDF invoice?", "The crew did an amazing job"):
        assert posts.count(said) == 1
    assert {row.state for row in await place.rows(Inbox)} == {"done"}
    assert {(row.state, row.reason) for row in await place.rows(Outbox)} == {("done", None)}
