"""What is answered to a webhook: accepted, or refused in the contract's order and form."""

import asyncio
import base64
import itertools
import json
from pathlib import Path

import httpx
import pytest
from support.gate import PASSWORD, PREVIOUS, USER, gate

from sandbox.thumbtack import bodies
from storage.models import Inbox
from webhooks import routes

ROUTES = [
    ("POST", "/v1/lead"),
    ("POST", "/v1/message"),
    ("PUT", "/v1/lead/update"),
    ("POST", "/v1/review"),
]
EVERY_ROUTE = [(method, prefix + path) for prefix in ("", "/staging") for method, path in ROUTES]
PAYLOADS = Path(__file__).parents[1] / "payloads"
STATUS = {"not_configured": 503, "credentials": 401, "media_type": 415, "too_large": 413, "json": 400, "shape": 400}
ONE_MIB = 1024 * 1024


def sample(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


SAMPLES = {
    "/v1/lead": sample("lead"),
    "/v1/message": sample("message"),
    "/v1/lead/update": sample("lead_update"),
    "/v1/review": sample("review"),
}


def body_for(path: str, wrong: set[str]) -> bytes:
    body = b"{]" if "json" in wrong else b"{}" if "shape" in wrong else SAMPLES[path.removeprefix("/staging")]
    return body + b" " * ONE_MIB if "too_large" in wrong else body


def headers_for(wrong: set[str]) -> dict[str, str]:
    pair = f"{USER}:{'wrong' if 'credentials' in wrong else PASSWORD}"
    return {
        "Content-Type": "text/plain" if "media_type" in wrong else "application/json",
        "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
    }


def assert_refused(answer, reason):
    status = STATUS[reason]
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["reason"], problem["status"]) == (reason, status)
    assert problem["title"]
    assert answer.headers.get("www-authenticate", "").startswith("Basic ") is (status == 401)


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
async def test_every_route_and_its_staging_twin_accepts_thumbtacks_own_sample(sqlite_door, method, path):
    answer = await sqlite_door.post(path, body_for(path, set()), method=method)
    assert answer.status_code == (202 if path.endswith(("/message", "/update")) else 200)
    assert answer.content == b"{}"
    assert answer.headers["content-type"] == "application/json"
    [row] = await sqlite_door.rows(Inbox)
    assert row.environment == ("staging" if path.startswith("/staging") else "production")


@pytest.mark.parametrize("mistakes", [1, 2, 3, 4])
async def test_of_several_mistakes_the_first_in_the_contracts_order_is_told(sqlite_door, mistakes):
    configured = [name for name in STATUS if name != "not_configured"]
    for (method, path), some in itertools.product(EVERY_ROUTE, itertools.combinations(configured, mistakes)):
        wrong = set(some)
        answer = await sqlite_door.http.request(method, path, content=body_for(path, wrong), headers=headers_for(wrong))
        assert_refused(answer, some[0])
    assert await sqlite_door.rows(Inbox) == []


async def test_without_credentials_in_the_settings_nothing_else_is_looked_at(sqlite_url):
    async with gate(sqlite_url, credentials=None) as door:
        for (method, path), wrong in itertools.product(EVERY_ROUTE, [set(), *({name} for name in STATUS)]):
            answer = await door.http.request(method, path, content=body_for(path, wrong), headers=headers_for(wrong))
            assert_refused(answer, "not_configured")


async def test_another_method_is_told_which_one_is_taken(sqlite_door):
    methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
    for (method, path), other in itertools.product(EVERY_ROUTE, methods):
        if other == method:
            continue
        answer = await sqlite_door.post(path, body_for(path, set()), method=other)
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["reason"] == "method"
        assert method in answer.headers["allow"]


async def test_an_address_we_do_not_have_is_a_problem_too(sqlite_door):
    answer = await sqlite_door.post("/v1/leads", {})
    assert answer.status_code == 404
    assert answer.json()["reason"] == "not_found"


@pytest.mark.parametrize(
    ("auth", "status"),
    [
        ((USER, PASSWORD), 200),
        ((USER, PREVIOUS), 200),
        ((USER, "wrong"), 401),
        (("someone", PASSWORD), 401),
        ((USER, ""), 401),
        (None, 401),
    ],
)
async def test_the_present_and_the_previous_password_open(sqlite_door, auth, status):
    assert (await sqlite_door.post("/v1/lead", bodies.lead(), auth=auth)).status_code == status


@pytest.mark.parametrize(
    ("media_type", "accepted"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/json;charset=utf-8;v=1", True),
        ("Application/JSON ; charset=latin-1", True),
        ("application/problem+json", False),
        ("application/jsonp", False),
        ("application/x-www-form-urlencoded", False),
        ("text/json", False),
        ("", False),
        (None, False),
    ],
)
async def test_json_with_any_parameters_is_taken(sqlite_door, media_type, accepted):
    headers = {} if media_type is None else {"Content-Type": media_type}
    answer = await sqlite_door.post("/v1/lead", sample("lead"), headers=headers)
    assert answer.status_code == (200 if accepted else 415)


async def in_chunks(body: bytes):
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(ONE_MIB, 200), (ONE_MIB + 1, 413), (2 * ONE_MIB, 413)])
async def test_one_mebibyte_is_taken_and_not_a_byte_more(sqlite_door, size, status, chunked):
    body = sample("lead").ljust(size)
    content = in_chunks(body) if chunked else body
    answer = await sqlite_door.http.post("/v1/lead", content=content, headers=headers_for(set()))
    assert answer.status_code == status
    assert chunked is ("content-length" not in answer.request.headers)


@pytest.mark.parametrize("announced", ["²", "abc", "-1", "", "9" * 5000, "1" * 30])
async def test_an_odd_content_length_breaks_nothing(sqlite_door, announced):
    headers = [*headers_for(set()).items(), ("content-length", announced.encode("latin-1"))]
    answer = await sqlite_door.http.post("/v1/lead", content=in_chunks(sample("lead")), headers=headers)
    assert answer.status_code == (413 if announced.isascii() and announced.isdigit() else 200)


async def test_who_hangs_up_in_the_middle_of_a_body_is_not_answered_and_stored_nothing(sqlite_door):
    heard = iter([{"type": "http.request", "body": b'{"leadID":', "more_body": True}, {"type": "http.disconnect"}])
    said = []

    async def receive():
        return next(heard)

    async def send(message):
        said.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in headers_for(set()).items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/lead", "headers": headers, "query_string": b""}
    await sqlite_door.app(scope, receive, send)
    assert said == []
    assert await sqlite_door.rows(Inbox) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/lead", []),
        ("/v1/lead", None),
        ("/v1/lead", "leadID"),
        ("/v1/lead", {"leadID": None}),
        ("/v1/lead", {"leadID": ""}),
        ("/v1/lead", {"leadID": " "}),
        ("/v1/lead", {"leadID": True}),
        ("/v1/lead", {"leadID": 1.5}),
        ("/v1/lead", {"leadID": ["1"]}),
        ("/v1/lead", {"leadID": {"id": "1"}}),
        ("/v1/message", {"leadID": "1"}),
        ("/v1/message", {"leadID": "1", "message": None}),
        ("/v1/message", {"leadID": "1", "message": "1"}),
        ("/v1/message", {"leadID": "1", "message": {"messageID": None}}),
        ("/v1/message", {"message": {"messageID": "1"}}),
        ("/v1/lead/update", {"leadPrice": "$1"}),
        ("/v1/review", {"reviewID": "1"}),
        ("/v1/review", {"review": {"leadID": "1"}}),
        ("/v1/review", {"review": [{"reviewID": "1"}]}),
    ],
)
async def test_a_body_without_its_ids_is_refused(sqlite_door, path, body):
    assert_refused(await sqlite_door.post(path, body), "shape")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/lead", {"leadID": 299614694480093245}),
        ("/v1/lead", {"leadID": -1}),
        ("/v1/lead", {"leadID": "x" * 5000}),
        ("/v1/lead", {"leadID": "\x00\ud800"}),
        ("/v1/lead", {"leadID": "1", "request": "none", "business": 7, "customer": []}),
        ("/v1/message", {"leadID": 1, "message": {"messageID": 2}}),
        ("/v1/lead/update", {"leadID": 1}),
        ("/v1/review", {"review": {"reviewID": 3}}),
    ],
)
async def test_a_body_with_its_ids_is_taken_however_odd_the_rest(sqlite_door, path, body):
    answer = await sqlite_door.post(path, json.dumps(body).encode())
    assert answer.status_code in (200, 202)


async def test_a_problem_never_repeats_what_was_sent(sqlite_door):
    for body in (b'{"name": "Maya Alvarez", "phone": "4155550134"', b'{"name": "Maya Alvarez", "phone": "4155550134"}'):
        answer = await sqlite_door.post("/v1/lead", body)
        assert answer.status_code == 400
        assert "Maya" not in answer.text
        assert "415" not in answer.text


# Known or unknown


async def test_a_message_and_an_update_answer_202_while_their_lead_is_unknown(door):
    lead = bodies.lead()
    other = bodies.lead()["leadID"]
    assert (await door.post("/v1/message", bodies.message(lead["leadID"], "first"))).status_code == 202
    assert (await door.post("/v1/message", bodies.message(lead["leadID"], "second"))).status_code == 200
    assert (await door.post("/v1/lead/update", bodies.price(other, "$5"))).status_code == 202
    assert (await door.post("/v1/lead/update", bodies.price(other, "$6"))).status_code == 200
    assert (await door.post("/v1/lead", lead)).status_code == 200


@pytest.mark.parametrize("makes_known", ["/v1/lead", "/v1/review"])
async def test_a_lead_or_a_review_makes_the_lead_known(door, makes_known):
    lead = bodies.lead()
    body = lead if makes_known == "/v1/lead" else bodies.review(lead["leadID"], "5", "fine")
    assert (await door.post(makes_known, body)).status_code == 200
    assert (await door.post("/v1/message", bodies.message(lead["leadID"], "hello"))).status_code == 200
    assert (await door.post("/v1/lead/update", bodies.price(lead["leadID"], "$5"))).status_code == 200


async def test_the_other_environment_makes_nothing_known(door):
    lead = bodies.lead()
    await door.post("/staging/v1/lead", lead)
    message = bodies.message(lead["leadID"], "hello")
    assert (await door.post("/v1/message", message)).status_code == 202
    assert (await door.post("/staging/v1/message", message)).status_code == 200
    assert (await door.post("/staging/v1/lead/update", bodies.price(lead["leadID"], "$5"))).status_code == 200


async def test_a_repeat_of_what_was_accepted_is_200(door):
    message = bodies.message("7001", "hello")
    update = bodies.price("7002", "$5")
    assert [(await door.post("/v1/message", message)).status_code for _ in range(3)] == [202, 200, 200]
    assert [(await door.post("/v1/lead/update", update)).status_code for _ in range(3)] == [202, 200, 200]


async def test_a_refused_body_makes_nothing_known(door):
    await door.post("/v1/message", bodies.message("7003", "hello"), auth=None)
    await door.post("/v1/message", {"leadID": "7003"})
    assert (await door.post("/v1/message", bodies.message("7003", "hello"))).status_code == 202


async def test_numbers_and_text_name_the_same_lead(door):
    assert (await door.post("/v1/lead", {"leadID": 7004})).status_code == 200
    assert (await door.post("/v1/message", bodies.message("7004", "hello"))).status_code == 200


async def test_known_counts_within_one_commit_in_the_order_of_arrival(door):
    """All of these wait for the same commit: of one lead's the first is the one that did not know it."""
    sent = [(lead, n) for n in range(3) for lead in ("7005", "7006")]
    answers = await asyncio.gather(
        *(door.post("/v1/message", bodies.message(lead, f"number {n}")) for lead, n in sent),
        door.post("/v1/review", bodies.review("7007", "5", "fine")),
        door.post("/v1/message", bodies.message("7007", "after its review")),
        door.post("/v1/message", bodies.message("7008", "before its lead")),
        door.post("/v1/lead", bodies.lead(leadID="7008")),
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses == [202, 202, 200, 200, 200, 200, 200, 200, 202, 200]


async def test_addresses_that_name_nobody_are_found_without_a_pattern_and_all_others_by_the_router(sqlite_door):
    asked: list[str] = []

    async def router(scope, receive, send):
        asked.append(scope["path"])
        await sqlite_door.app(scope, receive, send)

    app = routes.AtOnce(router, of=sqlite_door.app.routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot") as http:

        async def status(method: str, path: str) -> int:
            sent = {"content": body_for("/v1/lead", set()), "headers": headers_for(set())}
            return (await http.request(method, path, **sent)).status_code

        assert [await status("POST", path) for path in ("/v1/lead", "/staging/v1/lead")] == [200, 200]
        assert [await status("POST", path) for path in ("/v4/webhooks", "/v4/webhooks/")] == [400, 400]
        assert asked == []
        assert await status("POST", "/v4/webhooks/77") == 400
        assert await status("PUT", "/v1/lead") == 405
        assert await status("POST", "/v1/leads") == 404
        assert asked == ["/v4/webhooks/77", "/v1/lead", "/v1/leads"]
