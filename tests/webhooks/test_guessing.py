"""Who tries many passwords is answered cheaply, and whoever has a right one never notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from support.gate import PASSWORD, PREVIOUS, SECRET, USER, Gate, gate

from sandbox.servers import serving
from sandbox.thumbtack import bodies
from webhooks import guessing
from webhooks.guessing import AT_ONCE, RETRY_AFTER, Guesses
from webhooks.often import TOLD_EACH
from webhooks.routes import PREFIXES, WEBHOOKS

WRONG = (USER, "let-me-in?")
ADDRESSES = [
    (webhook.method, prefix + path.replace("{business_id}", "1"))
    for prefix in PREFIXES.values()
    for webhook in WEBHOOKS
    for path in webhook.paths
]
START = datetime(2030, 1, 1, tzinfo=UTC)


class Still:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def door(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """A gate at which nothing is given back within a test, however slow the machine is."""
    monkeypatch.setattr(guessing, "EACH", timedelta(hours=1))
    async with gate(sqlite_url) as opened:
        yield opened


async def wrong(door: Gate, times: int, path: str = "/v1/lead", **kwargs) -> list[tuple[int, str]]:
    kwargs.setdefault("auth", WRONG)
    answers = [await door.post(path, {}, **kwargs) for _ in range(times)]
    return [(answer.status_code, answer.json()["reason"]) for answer in answers]


REFUSED, LIMITED = (401, "credentials"), (429, "guessing")


async def test_after_many_wrong_ones_the_rest_are_told_to_wait(door: Gate):
    assert await wrong(door, AT_ONCE) == [REFUSED] * AT_ONCE
    answer = await door.post("/v1/lead", {}, auth=WRONG)
    assert (answer.status_code, answer.json()["reason"]) == LIMITED
    assert answer.headers["retry-after"] == RETRY_AFTER
    assert answer.headers["connection"] == "close"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("path", "auth", "headers"),
    [
        ("/v1/lead", (USER, PASSWORD), {}),
        ("/v1/lead", (USER, PREVIOUS), {}),
        ("/staging/v1/lead", (USER, PASSWORD), {}),
        ("/v4/webhooks", (USER, PASSWORD), {}),
        ("/v4/webhooks", None, {"x-webhook-secret": SECRET}),
        ("/v4/webhooks", None, {"authorization": f"Bearer {SECRET}"}),
    ],
)
async def test_right_ones_are_taken_all_the_same(door: Gate, path, auth, headers):
    await wrong(door, AT_ONCE)
    sent = {"headers": {"Content-Type": "application/json", **headers}}
    sent |= {} if auth is None else {"auth": auth}
    answer = await door.http.post(path, content=json.dumps(bodies.lead()), **sent)
    assert answer.status_code not in (401, 429), answer.text
    assert await wrong(door, 1) == [LIMITED]


async def test_in_the_midst_of_a_storm_every_lead_comes_in(door: Gate):
    leads = [bodies.lead() for _ in range(20)]
    storm = [door.post("/v1/lead", {}, auth=WRONG) for _ in range(300)]
    mixed = [
        one for n, lead in enumerate(leads) for one in (*storm[n * 15 : (n + 1) * 15], door.post("/v1/lead", lead))
    ]
    answers = [answer.status_code for answer in await asyncio.gather(*mixed)]
    assert answers[15::16] == [200] * 20
    assert answers.count(429) == 300 - AT_ONCE


async def test_every_address_counts_with_the_others(door: Gate):
    await wrong(door, AT_ONCE)
    for method, path in ADDRESSES:
        assert await wrong(door, 1, path, method=method) == [LIMITED], path


async def test_the_body_is_not_read(door: Gate):
    await wrong(door, AT_ONCE)

    async def body():
        raise AssertionError("somebody reads")
        yield b""

    answer = await door.http.post("/v1/lead", content=body(), auth=WRONG)
    assert answer.status_code == 429


async def test_what_is_wrong_otherwise_does_not_count(door: Gate):
    for _ in range(AT_ONCE + 5):
        assert (await door.post("/v1/lead", b"{", auth=(USER, PASSWORD))).status_code == 400
    assert await wrong(door, 1) == [REFUSED]


async def test_over_a_real_connection_it_is_closed(door: Gate):
    await wrong(door, AT_ONCE)
    async with serving(door.app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(b"POST /v1/lead HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000000\r\n\r\n")
        async with asyncio.timeout(60):
            answer = await reader.read()  # to its end, though the body never comes
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_time_gives_one_back_each_second_and_never_more_than_all():
    clock = Still()
    guesses = Guesses(clock=clock)
    assert [guesses.one_more() for _ in range(AT_ONCE + 1)] == [False] * AT_ONCE + [True]
    clock.now += timedelta(seconds=3)
    assert [guesses.one_more() for _ in range(4)] == [False, False, False, True]
    clock.now += timedelta(days=1)
    assert [guesses.one_more() for _ in range(AT_ONCE + 1)] == [False] * AT_ONCE + [True]


def test_a_clock_that_is_put_back_gives_nothing_and_holds_nothing_up():
    clock = Still()
    guesses = Guesses(clock=clock)
    for _ in range(AT_ONCE):
        guesses.one_more()
    clock.now -= timedelta(days=1)
    assert guesses.one_more()
    clock.now += timedelta(seconds=1)
    assert not guesses.one_more()


def test_the_log_says_it_once_a_minute_with_how_many():
    clock = Still()
    guesses = Guesses(clock=clock)
    with capture_logs() as logged:
        for _ in range(AT_ONCE + 50):
            guesses.one_more()
        clock.now += TOLD_EACH
        for _ in range(200):  # of which some are given back
            guesses.one_more()
    assert [(one["event"], one["times"]) for one in logged] == [
        ("webhook_credentials_guessed", 1),
        ("webhook_credentials_guessed", 50),
    ]


async def test_and_no_line_for_each(door: Gate):
    with capture_logs() as logged:
        await wrong(door, AT_ONCE + 50)
    told = [one["event"] for one in logged]
    assert told.count("webhook_refused") == AT_ONCE
    assert told.count("webhook_credentials_guessed") == 1
