"""What one process commits, others on the same PostgreSQL hear at once; and what they do while they hear nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from storage import listening
from storage.database import LOOK_WHEN_TOLD, NUDGES, Database, touch, utcnow
from storage.listening import Listening
from storage.models import Lane
from storage.shared_clock import SharedClock

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
WITHIN = 20.0
OFTEN = 3.0


class Woken:
    """Counts how often a topic woke somebody."""

    def __init__(self, database: Database, topic: str):
        self.times = 0
        self._changed = asyncio.Event()
        database.on_commit(topic, self._wake)

    def _wake(self):
        self.times += 1
        self._changed.set()

    async def until(self, held: Callable[[], bool]):
        async with asyncio.timeout(WITHIN):
            while not held():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def listens(database: Database) -> AsyncIterator[None]:
    told = Woken(database, "told")  # everybody is woken once it is proved that we are told
    task = asyncio.create_task(Listening(database, SharedClock(utcnow)).run())
    await told.until(lambda: database.is_told)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Database]:
    opened = Database(database.url.render_as_string(hide_password=False))
    yield opened
    await opened.close()


async def touched(database: Database, *topics: str, only_here: bool = False) -> None:
    async with database.transaction() as tx:
        for topic in topics:
            touch(tx, topic, only_here=only_here)


async def cut(database: Database) -> None:
    """The server ends the connection that listens, and no other."""
    async with database.transaction() as tx:
        await tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        )


@on_postgresql
async def test_a_commit_wakes_who_waits_in_another_process(database, other):
    outbox, inbox, last = (Woken(database, topic) for topic in ("outbox", "inbox", "last"))
    async with listens(database):
        before = (outbox.times, inbox.times, last.times)
        await touched(other, "outbox", "outbox", "inbox")
        await outbox.until(lambda: outbox.times > before[0])
        assert (outbox.times, inbox.times, last.times) == (before[0] + 1, before[1] + 1, before[2])


@on_postgresql
async def test_many_commits_of_others_wake_once(database, other, monkeypatch):
    monkeypatch.setattr(listening, "ACTED_ON_AFTER", 0.5)
    outbox, last = Woken(database, "outbox"), Woken(database, "last")
    async with listens(database):
        before = (outbox.times, last.times)
        for _ in range(20):
            await touched(other, "outbox")
        await touched(other, "last")
        await last.until(lambda: last.times > before[1])
        assert 1 <= outbox.times - before[0] < 20


@on_postgresql
async def test_whoever_is_woken_finds_what_was_committed(database, other):
    woken = Woken(database, "outbox")
    async with listens(database):
        before = woken.times
        async with other.transaction() as tx:
            tx.add(Lane(key="told"))
            touch(tx, "outbox")
        await woken.until(lambda: woken.times > before)
        async with database.reading() as tx:
            assert (await tx.execute(text("SELECT key FROM lane"))).scalars().all() == ["told"]


@on_postgresql
async def test_what_is_rolled_back_or_meant_for_its_own_process_wakes_nobody_else(database, other):
    woken, last, own = Woken(database, "outbox"), Woken(database, "last"), Woken(other, "outbox")
    async with listens(database):
        before = (woken.times, last.times)
        with pytest.raises(RuntimeError):
            await _broken(other, "outbox")
        await touched(other, "outbox", only_here=True)
        await touched(other, "last")
        await last.until(lambda: last.times > before[1])
        assert (woken.times, own.times) == (before[0], 1)


async def _broken(database: Database, topic: str) -> None:
    async with database.transaction() as tx:
        touch(tx, topic)
        raise RuntimeError


@on_postgresql
async def test_a_process_is_not_woken_twice_by_its_own_commit(database, other):
    woken, last = Woken(database, "outbox"), Woken(database, "last")
    async with listens(database):
        before = (woken.times, last.times)
        await touched(database, "outbox")
        await touched(other, "last")
        await last.until(lambda: last.times > before[1])
        assert woken.times == before[0] + 1


@on_postgresql
async def test_what_a_newer_version_tells_of_wakes_nobody(database, other):
    last = Woken(database, "last")
    async with listens(database):
        before = last.times
        connection = await asyncpg.connect(database.url.set(drivername="postgresql").render_as_string())
        for nudge in ("unheard_of 1234", "", "one two three"):
            await connection.execute("SELECT pg_notify($1, $2)", NUDGES, nudge)
        await connection.close()
        await touched(other, "last")
        await last.until(lambda: last.times > before)


@on_postgresql
async def test_a_connection_that_is_lost_is_opened_again_and_all_look_at_what_came_meanwhile(
    database, other, monkeypatch
):
    monkeypatch.setattr(listening, "AGAIN_AFTER", 0.2)
    woken = Woken(database, "outbox")
    async with listens(database):
        assert database.patience(OFTEN) == LOOK_WHEN_TOLD
        await cut(other)
        await woken.until(lambda: not database.is_told)
        assert database.patience(OFTEN) == OFTEN, "who is not told looks as often as ever"
        await touched(other, "outbox")  # nobody hears it
        before = woken.times
        await woken.until(lambda: database.is_told and woken.times > before)
        before = woken.times
        await touched(other, "outbox")
        await woken.until(lambda: woken.times > before)


@on_postgresql
async def test_who_does_not_hear_itself_does_not_rely_on_being_told(database, other, monkeypatch):
    """A pooler between us and PostgreSQL may take LISTEN and bring nothing."""
    monkeypatch.setattr(listening, "AGAIN_AFTER", 0.01)
    monkeypatch.setattr(listening, "PROVED_WITHIN", 0.05)
    monkeypatch.setattr(Listening, "_heard", lambda *_: None)
    woken = Woken(database, "outbox")
    task = asyncio.create_task(Listening(database, SharedClock(utcnow)).run())
    await woken.until(lambda: woken.times == 2)  # each time that it was tried in vain, they look
    assert not database.is_told
    task.cancel()
    await asyncio.wait([task])


@on_postgresql
async def test_who_ends_lets_the_others_look(database, other):
    woken = Woken(database, "outbox")
    Woken(other, "outbox")
    async with listens(database):
        async with listens(other):
            before = woken.times
        await woken.until(lambda: woken.times > before)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_on_sqlite_nobody_else_is_there_to_tell_anything(database):
    woken = Woken(database, "outbox")
    await Listening(database, SharedClock(utcnow)).run()
    await touched(database, "outbox")
    assert (woken.times, database.patience(OFTEN)) == (1, OFTEN)


@on_postgresql
async def test_who_is_cancelled_ends_although_the_server_answers_no_goodbye(database, monkeypatch):
    async def unanswered(connection, **_patience):
        connection.terminate()
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "close", unanswered)
        told = Woken(database, "told")
        task = asyncio.create_task(Listening(database, SharedClock(utcnow)).run())
        await told.until(lambda: database.is_told)
        task.cancel()
        await asyncio.wait([task], timeout=1)
        ended = task.done()
    task.cancel()
    await asyncio.wait([task])
    assert ended
