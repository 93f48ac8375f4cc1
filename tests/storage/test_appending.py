"""On SQLite the inbox is appended to by the connection that writes all else, whatever became of it meanwhile."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col
from support.gate import with_tables

from storage import database as storage_database
from storage.appending import SqliteAppender
from storage.away import is_away
from storage.database import Database
from storage.models import Environment, Inbox, WorkState


def row(number: int) -> dict[str, Any]:
    return {
        "environment": Environment.PRODUCTION.value,
        "route": "/v1/lead",
        "lane": f"production:{number}",
        "dedupe": None,
        "body_hash": f"hash {number}",
        "lead_thumbtack_id": str(number),
        "business_thumbtack_id": None,
        "body": b"{}",
        "received_at": datetime.now(UTC),
        "state": WorkState.PENDING.value,
        "attempt": 0,
    }


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that is opened from now on."""
    seen: list[sqlite3.Connection] = []

    def begun(connection: sqlite3.Connection, *where: Any, **how: Any) -> None:
        seen.append(connection)
        sqlite3.Connection.__init__(connection, *where, **how)

    monkeypatch.setattr(storage_database._SqliteConnection, "__init__", begun, raising=False)
    return seen


@pytest.fixture
async def database(sqlite_url: str, opened: list[sqlite3.Connection]) -> AsyncIterator[Database]:
    found = Database(sqlite_url)
    await with_tables(found)
    yield found
    await found.close()


async def append(database: Database, *numbers: int, asked: Any = ()) -> Any:
    """As the inbox does it: in its turn."""
    async with database.precedence.first():
        return await SqliteAppender(database).append([row(number) for number in numbers], dict(asked))


async def stored(database: Database) -> list[str]:
    async with database.reading() as tx:
        return list((await tx.execute(select(col(Inbox.lead_thumbtack_id)).order_by(col(Inbox.id)))).scalars())


async def count(database: Database, *, brief: bool) -> int:
    async with database.transaction(brief=brief) as tx:
        found: int = (await tx.execute(select(func.count()).select_from(Inbox))).scalar_one()
        return found


async def test_all_that_is_written_is_written_by_one_connection_in_one_thread(
    database: Database, opened: list[sqlite3.Connection]
):
    threads = set()
    for number, brief in enumerate((True, True, False, True, False, False, True)):
        await append(database, number, asked={"production": ["0"]} if number % 2 else {})
        assert await count(database, brief=brief) == number + 1
        async with database.precedence.turn():
            threads.add(await database.do_in_sqlite(lambda _: threading.get_ident()))
    assert (len(opened), len(threads)) == (1, 1)
    assert threads != {threading.get_ident()}


async def test_after_one_that_was_stopped_it_goes_on_by_a_connection_of_which_nobody_knows_anything(
    database: Database, opened: list[sqlite3.Connection]
):
    reached = asyncio.Event()

    async def stopped() -> None:
        async with database.transaction(brief=True) as tx:
            await tx.execute(text("DELETE FROM inbox"))
            reached.set()
            await asyncio.Event().wait()

    await append(database, 1)
    task = asyncio.create_task(stopped())
    await reached.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2):
        await append(database, 2)
    assert (await stored(database), await count(database, brief=True)) == (["1", "2"], 2)
    assert [is_open(one) for one in opened] == [False, True, True], (
        "the one that wrote, the one that does, and a reader"
    )


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        return connection.in_transaction or True
    except sqlite3.ProgrammingError:
        return False


async def under_way(database: Database, work: Callable[[sqlite3.Connection], Any]) -> "asyncio.Task[Any]":
    """Something the thread is at, in whoever's turn it is."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(connection: sqlite3.Connection) -> Any:
        loop.call_soon_threadsafe(begun.set)
        return work(connection)

    async def done() -> Any:
        async with database.precedence.first():
            return await database.do_in_sqlite(told)

    task = asyncio.create_task(done())
    await begun.wait()
    return task


async def test_who_is_told_to_stop_meanwhile_stops_nothing_and_the_next_waits_for_it(database: Database):
    may_end = threading.Event()

    def slowly(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        may_end.wait(10)
        connection.execute("INSERT INTO lane (key, held) VALUES ('slow', false)")
        connection.execute("COMMIT")

    gone = await under_way(database, slowly)
    next_one = asyncio.create_task(append(database, 1))
    gone.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not next_one.done()
    may_end.set()
    await next_one
    with pytest.raises(asyncio.CancelledError):
        await gone
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT key FROM lane"))).scalars().all() == ["slow"]
    assert await stored(database) == ["1"]


async def test_a_transaction_that_is_used_after_its_end_keeps_nothing_from_being_stored(database: Database):
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("SELECT 1"))
    tx.sync_session.connection()  # this begins another one
    await append(database, 1)
    assert await stored(database) == ["1"]


@pytest.mark.parametrize("asked", [{}, {"production": ["1"]}])
async def test_a_lock_of_another_process_is_waited_for(database: Database, asked: dict[str, list[str]]):
    await append(database, 1)  # the connection is kept from now on
    other = sqlite3.connect(database.file or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(append(database, 2, asked=asked))
    await asyncio.sleep(0.2)
    assert not task.done()
    other.rollback()
    other.close()
    await task
    assert await stored(database) == ["1", "2"]


async def test_a_file_that_is_locked_is_away_and_then_written_to(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage_database, "BUSY_TIMEOUT_MS", 20)
    database = Database(sqlite_url)
    await with_tables(database)
    other = sqlite3.connect(database.file or "", isolation_level=None)
    for asked in ({}, {"production": ["1"]}):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            await append(database, 1, asked=asked)
        assert is_away(raised.value)
        with pytest.raises(storage_database.StorageError) as told:
            await count(database, brief=True)
        assert is_away(told.value)
        other.rollback()
        await append(database, 1, asked=asked)
    other.close()
    assert await count(database, brief=True) == 2
    await database.close()


async def test_a_file_that_cannot_be_opened_is_away(database: Database):
    assert database.file is not None
    missing = Database(f"sqlite+aiosqlite:///{database.file.parent}/nowhere/corkboard.db")
    with pytest.raises(storage_database.StorageError) as raised:
        await append(missing, 1)
    assert is_away(raised.value)
    await missing.close()


async def test_what_is_under_way_when_the_database_is_closed_ends_and_its_connection_is_closed_then(
    database: Database, opened: list[sqlite3.Connection]
):
    may_end = threading.Event()

    def slowly(connection: sqlite3.Connection) -> None:
        may_end.wait(10)
        connection.execute("INSERT INTO lane (key, held) VALUES ('slow', false)")

    task = await under_way(database, slowly)
    await database.close()
    may_end.set()
    await task
    assert [is_open(one) for one in opened] == [False]
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT key FROM lane"))).scalars().all() == ["slow"]
