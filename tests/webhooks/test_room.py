"""More webhooks at once than one machine takes: it says so in time, and loses nothing of what it took."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import httpx
import pytest
from structlog.testing import capture_logs
from support.gate import Gate, gate

from storage import inbox
from storage.models import Inbox
from webhooks import room

LEADS = 12


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AT_ONCE", LEADS)
    monkeypatch.setattr(room, "BYTES", 4 * 1024 * 1024)
    monkeypatch.setattr(room, "WAIT", 0.0)


@contextmanager
def nobody_can_write(door: Gate) -> Iterator[None]:
    """Meanwhile what is stored waits: somebody else holds the file."""
    other = sqlite3.connect(door.database.file or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def posted(door: Gate, lead_id: str) -> "asyncio.Task[httpx.Response]":
    return asyncio.create_task(door.post("/v1/lead", {"leadID": lead_id}))


async def refused(posts: Sequence["asyncio.Task[httpx.Response]"], count: int) -> list[httpx.Response]:
    """The first answers; the others wait for the database."""
    answers = [await one for one in islice(asyncio.as_completed(posts), count)]
    assert {answer.status_code for answer in answers} == {503}
    return answers


async def test_what_is_too_much_is_told_to_come_again_and_what_was_taken_is_stored(sqlite_url: str):
    async with gate(sqlite_url) as door:
        with nobody_can_write(door), capture_logs() as logs:
            posts = [posted(door, f"{number}") for number in range(LEADS + 5)]
            for answer in await refused(posts, 5):
                assert answer.json()["reason"] == "busy"
                assert int(answer.headers["retry-after"]) > 0
        assert [one["event"] for one in logs] == ["webhooks_too_many"], "one line for all of them"
        statuses = [answer.status_code for answer in await asyncio.gather(*posts)]
        assert statuses == [200] * LEADS + [503] * 5
        assert (await door.post("/v1/lead", {"leadID": "after"})).status_code == 200, "there is room again"
        stored = [row.lead_thumbtack_id for row in await door.rows(Inbox)]
        assert stored == [*(f"{number}" for number in range(LEADS)), "after"]


async def test_some_wait_a_moment_for_room_before_they_are_refused(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "WAIT", 2.0)
    monkeypatch.setattr(room, "LINE", 3)
    async with gate(sqlite_url) as door:
        with nobody_can_write(door):
            posts = [posted(door, f"{number}") for number in range(LEADS + 5)]
            await refused(posts, 2)  # for whom there is no place in the line
        statuses = [answer.status_code for answer in await asyncio.gather(*posts)]
        assert statuses == [200] * (LEADS + 3) + [503] * 2


async def test_its_body_is_not_read(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "AT_ONCE", 0)

    async def body():
        raise AssertionError("read")
        yield b""

    async with gate(sqlite_url) as door:
        headers = {"Content-Type": "application/json"}
        answer = await door.http.post("/v1/lead", content=body(), headers=headers, auth=("thumbtack", "let-me-in"))
        assert answer.json()["reason"] == "busy"


async def test_large_bodies_fill_it_too_also_those_that_do_not_say_how_large_they_are(sqlite_url: str):
    async def chunks():
        yield b'{"leadID": "slow",'
        await slow.wait()
        yield b'"a": 1}'

    slow = asyncio.Event()
    headers = {"Content-Type": "application/json"}
    async with gate(sqlite_url) as door:
        ways = [
            asyncio.create_task(
                door.http.post("/v1/lead", content=chunks(), headers=headers, auth=("thumbtack", "let-me-in"))
            )
            for _ in range(4)
        ]
        for _ in range(50):
            await asyncio.sleep(0)
        large = b'{"leadID": "large", "a": "' + b"a" * 100_000 + b'"}'
        assert (await door.post("/v1/lead", large)).json()["reason"] == "busy"
        slow.set()
        assert {answer.status_code for answer in await asyncio.gather(*ways)} == {200}
        assert (await door.post("/v1/lead", large)).status_code == 200


async def test_nobody_takes_it_without_the_right_credentials(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "AT_ONCE", 0)
    async with gate(sqlite_url) as door:
        assert (await door.post("/v1/lead", {}, auth=("thumbtack", "wrong"))).json()["reason"] == "credentials"


async def test_a_database_that_hangs_does_not_fill_the_memory(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    """Who stopped waiting has left what they sent: that counts until it is written or refused."""
    monkeypatch.setattr(inbox, "FULL", 3)
    async with gate(sqlite_url) as door:
        with nobody_can_write(door):
            posts = [posted(door, f"{number}") for number in range(8)]
            for answer in await refused(posts, 4):
                assert answer.json()["reason"] == "storage"
        answers = await asyncio.gather(*posts)
        monkeypatch.setattr(inbox, "FULL_BYTES", 10)
        assert (await door.post("/v1/lead", {"leadID": "too large"})).json()["reason"] == "storage"
        assert len(await door.rows(Inbox)) == sum(answer.status_code == 200 for answer in answers) in (3, 4)
