"""Whatever is sent to a webhook: answered as the contract says, never a 500, never lost, never in a log."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gate import PASSWORD, USER, Gate, gate

from sandbox.thumbtack import bodies
from storage.models import Customer, Inbox, Lead, Message, Outbox, Review
from webhooks.thumbtack.payloads.body import MAX_DEPTH

ROUTES = ("/v1/lead", "/v1/message", "/v1/lead/update", "/v1/review", "/staging/v1/lead", "/staging/v1/message")
ANSWERS = {200, 202, 400, 413, 415}
ONE_MIB = 1024 * 1024


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Gate]:
    async with gate(database_url) as running:
        yield running


@pytest.fixture(autouse=True)
def logged(caplog):
    """Everything that may reach a log: ours from debug upwards, of the libraries warnings and worse (`bot.logs`)."""
    caplog.set_level(logging.WARNING)
    with structlog.testing.capture_logs() as ours:
        yield lambda: "\n".join([*map(str, ours), caplog.text])


# What a generator thinks of

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["\x00", "\ud800", "a\x00b\udfff", "&lt;!channel&gt;", "<!channel>", "\u202e", "9" * 400, " ", "null", "-1e400"]
)
NUMBERS = (
    st.integers(-(10**25), 10**25)
    | st.floats()
    | st.sampled_from([0, -1, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 253402300799, 253402300799999, 1e308, 10**400])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
IDS = st.sampled_from(["1", "2", "3", 1, 2, "x" * 3000, "\ud800", "\x00", -5]) | ANY_TEXT | st.integers()


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What belongs there, more often than what does not."""
    return st.one_of(strategy, strategy, JSON)


def an_object(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda fields, more: {**more, **fields}, known, st.dictionaries(ANY_TEXT, JSON, max_size=2))


TIMES = maybe(st.sampled_from(["1786012345", 1786012345, "1786012345000", "253402300799999", "-1", "0", 1e300, "soon"]))
FILES = maybe(
    st.lists(
        maybe(
            an_object(
                {},
                {"url": maybe(ANY_TEXT), "fileName": JSON, "fileSize": JSON, "mimeType": JSON, "description": JSON},
            )
        ),
        max_size=3,
    )
)
LOCATION = an_object({}, {name: maybe(ANY_TEXT) for name in ("address1", "address2", "city", "state", "zipCode")})
DETAILS = maybe(st.lists(maybe(an_object({}, {"question": maybe(ANY_TEXT), "answer": maybe(ANY_TEXT)})), max_size=4))
REQUEST = an_object(
    {},
    {
        "requestID": maybe(IDS), "category": JSON, "categoryID": maybe(IDS), "title": JSON, "description": JSON,
        "schedule": JSON, "location": maybe(LOCATION), "travelPreferences": JSON, "details": DETAILS,
        "attachments": FILES,
    },
)  # fmt: skip
PRICES = maybe(st.sampled_from(["$26.00", "N/A", "26", "$1,260.50", "$" + "9" * 30, "-$5", "Charged", "Refunded"]))
LEAD = an_object(
    {"leadID": maybe(IDS)},
    {
        "createTimestamp": TIMES, "request": maybe(REQUEST), "price": PRICES, "leadType": JSON, "leadPrice": PRICES,
        "chargeState": PRICES,
        "customer": maybe(an_object({}, {"customerID": maybe(IDS), "name": maybe(ANY_TEXT), "phone": JSON})),
        "business": maybe(an_object({}, {"businessID": maybe(IDS), "name": maybe(ANY_TEXT)})),
    },
)  # fmt: skip
MESSAGE = an_object(
    {
        "leadID": maybe(IDS),
        "message": maybe(
            an_object({"messageID": maybe(IDS)}, {"createTimestamp": TIMES, "text": JSON, "attachments": FILES})
        ),
    },
    {"customerID": maybe(IDS), "businessID": maybe(IDS)},
)
UPDATE = an_object({"leadID": maybe(IDS)}, {"leadPrice": PRICES, "chargeState": PRICES})
REVIEW = an_object(
    {
        "review": maybe(
            an_object(
                {"reviewID": maybe(IDS)},
                {
                    "leadID": maybe(IDS), "businessID": maybe(IDS), "categoryID": maybe(IDS), "createTime": TIMES,
                    "modifyTime": TIMES, "rating": JSON, "text": JSON, "reviewerName": JSON, "reviewerNickname": JSON,
                    "verified": JSON, "photos": FILES,
                },
            )
        )
    },
    {},
)  # fmt: skip
SENT = st.one_of(
    st.tuples(st.sampled_from(["/v1/lead", "/staging/v1/lead"]), LEAD),
    st.tuples(st.just("/v1/message"), MESSAGE),
    st.tuples(st.just("/v1/lead/update"), UPDATE),
    st.tuples(st.just("/v1/review"), REVIEW),
    st.tuples(st.sampled_from(ROUTES), JSON),
)

fuzzed = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


async def assert_all_was_ingested(door: Gate) -> None:
    await door.ingested()
    assert {(row.state, row.reason) for row in await door.rows(Inbox)} <= {("done", None)}


@fuzzed
@given(sent=st.lists(SENT, min_size=1, max_size=6))
async def test_any_json_is_accepted_and_ingested_or_refused(door, sent):
    for path, body in sent:
        before = len(await door.rows(Inbox))
        answer = await door.post(path, json.dumps(body).encode())
        assert answer.status_code in (200, 202, 400)
        if answer.status_code == 400:
            assert answer.json()["reason"] in ("json", "shape")
            assert len(await door.rows(Inbox)) == before
    await assert_all_was_ingested(door)


@fuzzed
@given(
    path=st.sampled_from(ROUTES), body=st.binary(max_size=200) | ANY_TEXT.map(lambda t: t.encode("utf-16", "replace"))
)
async def test_any_bytes_are_answered(door, path, body):
    assert (await door.post(path, body)).status_code in (200, 202, 400)
    await assert_all_was_ingested(door)


@fuzzed
@given(
    cut=st.integers(0, 400),
    junk=st.binary(max_size=8),
    media_type=st.sampled_from(["application/json", "application/json;charset=x", "text/plain", "", "/;;="]),
)
async def test_a_broken_lead_is_answered(door, cut, junk, media_type):
    body = json.dumps(bodies.lead(leadID="77")).encode()
    answer = await door.post("/v1/lead", body[:cut] + junk + body[cut + 3 :], headers={"Content-Type": media_type})
    assert answer.status_code in ANSWERS
    await assert_all_was_ingested(door)


@fuzzed
@given(authorization=st.binary(max_size=40).filter(lambda given: b"\n" not in given and b"\r" not in given))
async def test_any_authorization_is_refused(door, authorization):
    headers = [(b"authorization", authorization), (b"content-type", b"application/json")]
    answer = await door.http.post("/v1/lead", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "credentials")


@settings(fuzzed, max_examples=15)
@given(sent=st.lists(SENT, min_size=5, max_size=10))
async def test_whatever_was_accepted_can_be_shown_in_slack(place, sent):
    for path, body in sent:
        method = "PUT" if path.endswith("/update") else "POST"
        headers = {"Content-Type": "application/json"}
        content = json.dumps(body).encode()
        answer = await place.http.request(method, path, content=content, headers=headers, auth=(USER, PASSWORD))
        assert answer.status_code in (200, 202, 400)
    await place.ingested()
    await place.at_rest()
    assert {row.state for row in await place.rows(Inbox)} <= {"done"}
    assert {(row.state, row.reason) for row in await place.rows(Outbox)} <= {("done", None)}


# What a person thinks of


async def test_ten_thousand_answers_are_kept(door):
    details = [{"question": f"Question {n}", "answer": f"Answer {n}"} for n in range(10_000)]
    await door.ingested(("/v1/lead", bodies.lead(request={"details": details})))
    [lead] = await door.rows(Lead)
    assert len(lead.details) == 10_000


@pytest.mark.parametrize("path", ROUTES[:4])
async def test_a_body_of_a_mebibyte_is_kept(door, path):
    text = "x" * (ONE_MIB - 2000)
    body = {
        "/v1/lead": bodies.lead(request={"description": text}),
        "/v1/message": bodies.message("1", text),
        "/v1/lead/update": bodies.price("1", text),
        "/v1/review": bodies.review("1", "5", text),
    }[path]
    await door.ingested((path, body))
    assert [text in row.body.decode() for row in await door.rows(Inbox)] == [True]
    await assert_all_was_ingested(door)


async def test_two_mebibytes_are_refused(door):
    answer = await door.post("/v1/lead", bodies.lead(request={"description": "x" * 2 * ONE_MIB}))
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize("depth", [20, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 5_000, 300_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_deep_nesting_is_kept_or_refused(door, depth, opening):
    closing = "]" if opening == "[" else "}"
    deep = opening * (depth - 1) + "1" + closing * (depth - 1)
    answer = await door.post("/v1/lead", f'{{"leadID": "1", "deep": {deep}}}'.encode())
    expected = 413 if len(deep) > ONE_MIB else 200 if depth <= MAX_DEPTH else 400
    assert answer.status_code == expected
    await assert_all_was_ingested(door)


NOWHERE_TEXT = "a\x00b\ud800c"


async def test_nul_and_lone_surrogates_become_a_sign_that_every_database_takes(door):
    lead = bodies.lead(
        leadID=NOWHERE_TEXT,
        price=NOWHERE_TEXT,
        extra={NOWHERE_TEXT: NOWHERE_TEXT},
        request={"title": NOWHERE_TEXT, "details": [{"question": NOWHERE_TEXT, "answer": NOWHERE_TEXT}]},
        customer={"customerID": NOWHERE_TEXT, "name": NOWHERE_TEXT, "phone": NOWHERE_TEXT},
        business={"businessID": NOWHERE_TEXT, "name": NOWHERE_TEXT},
    )
    ids = {"customerID": NOWHERE_TEXT, "businessID": NOWHERE_TEXT}
    message = bodies.message(NOWHERE_TEXT, NOWHERE_TEXT, message={"messageID": NOWHERE_TEXT}, **ids)
    review = bodies.review(NOWHERE_TEXT, NOWHERE_TEXT, NOWHERE_TEXT, review={"reviewID": NOWHERE_TEXT, **ids})
    await door.ingested(("/v1/lead", lead), ("/v1/message", message), ("/v1/review", review))
    await assert_all_was_ingested(door)
    [kept], [customer], [said], [reviewed] = [await door.rows(row) for row in (Lead, Customer, Message, Review)]
    shown = "a\ufffdb\ufffdc"
    assert {kept.thumbtack_id, kept.title, customer.name, said.text, reviewed.rating} == {shown}
    assert kept.extra["extra"] == {shown: shown}


async def test_numbers_are_taken_for_text_and_text_for_numbers(door):
    lead = bodies.lead(
        leadID=410000000000000099,
        createTimestamp=1786012345,
        price=26,
        leadPrice=26.5,
        leadType=7,
        request={
            "requestID": 5,
            "title": 3.25,
            "location": {"zipCode": 94301},
            "details": [{"question": 1, "answer": True}],
        },
        customer={"customerID": 520000000000000102, "name": 12, "phone": 4155550134},
    )
    await door.ingested(("/v1/lead", lead))
    [kept], [customer] = await door.rows(Lead), await door.rows(Customer)
    assert (kept.thumbtack_id, kept.zip_code, kept.title) == ("410000000000000099", "94301", "3.25")
    assert (kept.price_text, kept.charge_text, kept.charge_cents) == ("26", "26.5", 2650)
    assert kept.details == [{"question": "1", "answer": "true"}]
    assert (customer.name, customer.phone) == ("12", "4155550134")


@pytest.mark.parametrize(
    "odd", [0, -1, "-1786012345", "1e400", 10**30, "253402300800", "253402300799999", "253402300800000", [], {}, True]
)
async def test_absurd_times_break_nothing(door, odd):
    await door.ingested(
        ("/v1/lead", bodies.lead(leadID="5", createTimestamp=odd)),
        ("/v1/message", bodies.message("5", "hello", message={"createTimestamp": odd})),
        ("/v1/review", bodies.review("5", "5", "fine", review={"createTime": odd, "modifyTime": odd})),
    )
    await assert_all_was_ingested(door)
    assert len(await door.rows(Review)) == 1


# What may not be told

SECRETS = ["Maya Alvarez", "4155550134", "1200 Example Street", "ladder", "Bright Oak", PASSWORD]


async def test_nothing_of_a_customer_and_no_password_reaches_a_log_or_a_problem(door, logged, capfd):
    lead = bodies.lead()
    told = []
    for path, body in [
        ("/v1/lead", lead),
        ("/v1/lead", {**lead, "leadID": None}),
        ("/v1/message", bodies.message(lead["leadID"], "Do you bring your own ladder?")),
        ("/v1/message", bodies.message(lead["leadID"], "ladder", message={"messageID": None})),
        ("/v1/lead", json.dumps(lead).encode()[:-1]),
        ("/v1/review", bodies.review(lead["leadID"], "5", "ladder", review={"reviewerName": "Maya Alvarez"})),
    ]:
        told.append(await door.post(path, body))
    told.append(await door.post("/v1/lead", lead, auth=(USER, f"{PASSWORD}.")))
    told.append(await door.post("/v1/lead", lead, headers={"Content-Type": "text/plain"}))
    await assert_all_was_ingested(door)
    captured = capfd.readouterr()
    everywhere = "\n".join([logged(), captured.out, captured.err, *(answer.text for answer in told)])
    assert "webhook_refused" in everywhere
    for secret in [*SECRETS, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()]:
        assert secret not in everywhere


async def test_on_its_way_to_slack_nothing_of_a_customer_reaches_a_log_either(place, logged, capfd):
    lead = bodies.lead()
    await place.post("/v1/lead", lead)
    await place.post("/v1/message", bodies.message(lead["leadID"], "Do you bring your own ladder?"))
    await place.ingested()
    await place.at_rest()
    captured = capfd.readouterr()
    everywhere = f"{logged()}\n{captured.out}\n{captured.err}"
    assert "delivered" in everywhere
    for secret in SECRETS:
        assert secret not in everywhere


async def test_a_body_that_breaks_the_database_is_not_told_to_a_log_either(door, logged, capfd):
    await door.post("/v1/lead", bodies.lead())
    async with door.database.writer() as connection, connection.begin():
        await connection.exec_driver_sql("DROP TABLE lead_charge")
        await connection.exec_driver_sql("ALTER TABLE lead RENAME TO lead_elsewhere")
    for _ in range(10):
        await door.ingested()
        door.ahead += timedelta(minutes=1)
    captured = capfd.readouterr()
    everywhere = f"{logged()}\n{captured.out}\n{captured.err}"
    assert "webhook_not_understood" in everywhere
    for secret in SECRETS:
        assert secret not in everywhere


async def test_a_storm_of_good_and_bad_loses_nothing(door):
    """All at once: each good one is stored, each bad one refused, whatever stands beside it."""
    good = [("/v1/lead", bodies.lead()) for _ in range(30)]
    bad = [("/v1/lead", b"{" * n) for n in range(30)]
    mixed = [one for pair in zip(good, bad, strict=True) for one in pair]
    answers = await asyncio.gather(*(door.post(path, body) for path, body in mixed))
    assert [answer.status_code for answer in answers] == [200, 400] * 30
    await assert_all_was_ingested(door)
    assert {lead.thumbtack_id for lead in await door.rows(Lead)} == {body["leadID"] for _, body in good}
