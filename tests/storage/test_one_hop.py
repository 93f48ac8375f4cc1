"""SQLite's statements cost as few changes of threads as they can, and nothing else about them changes."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from storage import one_hop
from storage.database import Database, StorageError, Transaction, at_length, utcnow
from storage.models import Keeper
from storage.prepared import Prepared
from storage.transaction import HERE


@pytest.fixture
async def connection(tmp_path: Path):
    opened = await one_hop.connect(tmp_path / "some.db", check_same_thread=False)
    await opened.execute("CREATE TABLE noted (number INTEGER PRIMARY KEY, word TEXT)")
    yield opened
    await opened.close()


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to a connection's thread."""
    seen: list[str] = []
    real = one_hop.OneHopConnection._execute

    async def counted(self: Any, work: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(work.__name__)
        return await real(self, work, *arguments, **named)

    monkeypatch.setattr(one_hop.OneHopConnection, "_execute", counted)
    return seen


async def test_a_query_goes_to_the_thread_once_with_its_rows(connection: one_hop.OneHopConnection, hops: list[str]):
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1 UNION SELECT 2")
        assert (list(await cursor.fetchall()), hops) == ([(1,), (2,)], ["_rows"])
    assert hops == ["_rows"]


async def test_rows_are_given_once(connection: one_hop.OneHopConnection):
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        assert [list(await cursor.fetchall()) for _ in range(2)] == [[(1,)], []]


async def test_what_gives_no_rows_tells_how_many_it_changed(connection: one_hop.OneHopConnection):
    async with connection.cursor() as cursor:
        await cursor.execute("INSERT INTO noted (word) VALUES (?), (?)", ("one", "two"))
        assert (cursor.rowcount, cursor.lastrowid, list(await cursor.fetchall())) == (2, 2, [])


async def test_a_transaction_that_was_left_open_is_rolled_back(connection: one_hop.OneHopConnection):
    async with connection.cursor() as cursor:
        await cursor.execute("BEGIN")
        await cursor.execute("INSERT INTO noted (word) VALUES ('one')")
        await connection.rollback()
        await cursor.execute("SELECT count(*) FROM noted")
        assert list(await cursor.fetchall()) == [(0,)]


async def test_one_that_may_yet_begin_in_the_thread_is_rolled_back_too(connection: one_hop.OneHopConnection):
    await connection.commit()
    beginning = asyncio.create_task(connection.execute("BEGIN"))
    await asyncio.sleep(0)  # handed over
    await connection.rollback()
    await beginning
    assert not connection.in_transaction


async def test_an_error_is_sqlites_own(connection: one_hop.OneHopConnection):
    async with connection.cursor() as cursor:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await cursor.execute("SELECT * FROM nowhere")


async def test_one_cancelled_while_its_statement_runs_is_closed_behind_it(connection: one_hop.OneHopConnection):
    running = asyncio.create_task(_long(connection))
    await asyncio.sleep(0.02)  # it runs in its thread by now
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(await connection.execute_fetchall("SELECT 1")) == [(1,)]


async def _long(connection: one_hop.OneHopConnection) -> None:
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n"
    async with connection.cursor() as cursor:
        await cursor.execute(count)


async def with_a_table(sqlite_url: str) -> Database:
    """A database in whose brief transactions something can be noted."""
    database = Database(sqlite_url)
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("CREATE TABLE noted (number INTEGER PRIMARY KEY)"))
    return database


async def noted(database: Database) -> list[int]:
    async with database.reading() as tx:
        return list((await tx.execute(text("SELECT number FROM noted ORDER BY number"))).scalars())


async def test_a_brief_transaction_asks_the_thread_to_commit(sqlite_url: str, hops: list[str]):
    database = await with_a_table(sqlite_url)
    hops.clear()
    async with database.transaction(brief=True) as tx:
        for number in range(5):
            await tx.execute(text("INSERT INTO noted (number) VALUES (:number)"), {"number": number})
    assert hops == ["commit"]
    assert await noted(database) == [0, 1, 2, 3, 4]
    await database.close()


@pytest.mark.parametrize("brief", [True, False])
async def test_a_lock_of_another_process_is_waited_for_while_the_event_loop_goes_on(
    sqlite_url: str, hops: list[str], *, brief: bool
):
    database = await with_a_table(sqlite_url)
    other = sqlite3.connect(database.file or "", isolation_level=None)

    async def insert(number: int) -> None:
        async with database.transaction(brief=brief) as tx:
            await tx.execute(text(f"INSERT INTO noted (number) VALUES ({number})"))

    for number in (1, 2):
        other.execute("BEGIN IMMEDIATE")
        hops.clear()
        task, began = asyncio.create_task(insert(number)), monotonic()
        while not hops:  # noqa: ASYNC110 -- this is the event loop going on
            await asyncio.sleep(0)
        assert monotonic() - began < 2
        await asyncio.sleep(0.1)
        assert not task.done()
        other.rollback()
        await task
    assert await noted(database) == [1, 2]
    other.close()
    await database.close()


async def test_a_brief_transaction_lets_the_event_loop_go_on_after_a_millisecond_and_not_after_each_statement(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    passed, others = 10.0, []
    monkeypatch.setattr(one_hop, "monotonic", lambda: passed)
    database = Database(sqlite_url)
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("SELECT 1"))
        task = asyncio.create_task(_noted(others))
        await tx.execute(text("SELECT 1"))
        assert not others
        passed += 0.0011
        await tx.execute(text("SELECT 1"))
        assert others
    await task
    await database.close()


async def _noted(others: list[str]) -> None:
    others.append("went on")


async def test_what_a_brief_transaction_reads_is_read_before_it_changes_it(sqlite_url: str):
    database = Database(sqlite_url)
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE noted (number INTEGER PRIMARY KEY)"))
        await tx.execute(text("INSERT INTO noted (number) VALUES (1), (2), (3)"))
    async with database.transaction(brief=True) as tx:
        found = (await tx.execute(text("SELECT number FROM noted"))).scalars()
        await tx.execute(text("DELETE FROM noted"))
        assert list(found) == [1, 2, 3]
    await database.close()


async def test_a_brief_transaction_asks_as_any_other(database: Database):
    """Rows, by their key too, and what is wrong; on both kinds of database."""
    async with database.transaction(brief=True) as tx:
        keeper = Keeper(team_id="T1", user_id="U1", since=utcnow())
        tx.add(keeper)
        await tx.flush()
        tx.expunge_all()
        again = await tx.get(Keeper, keeper.id)
        assert again is not None
        assert (again is keeper, again.user_id) == (False, "U1")
        with pytest.raises(DBAPIError, match="nowhere"):
            await tx.execute(text("SELECT * FROM nowhere"))


async def test_a_brief_transaction_that_takes_its_time_after_all_uses_the_thread(sqlite_url: str, hops: list[str]):
    database = Database(sqlite_url)
    async with database.transaction(brief=True) as tx:
        at_length(tx)
        hops.clear()
        await tx.execute(text("SELECT 1"))
        assert hops == ["_rows"]
    await database.close()


async def test_the_next_transaction_is_as_any_other(sqlite_url: str, hops: list[str]):
    database = Database(sqlite_url)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(brief=True):
            raise ZeroDivisionError
    hops.clear()
    async with database.transaction() as tx:
        await tx.execute(text("SELECT 1"))
    assert hops == ["_rows", "_rows", "commit"]
    await database.close()


async def test_what_is_added_to_a_brief_transaction_is_written_and_forgotten_by_the_next(database: Database):
    """On both kinds of database."""
    async with database.transaction(brief=True) as tx:
        keeper = Keeper(team_id="T1", user_id="U1", since=utcnow())
        tx.add(keeper)
    keeper.user_id = "U2"  # nobody's any more
    async with database.transaction(brief=True) as tx:
        assert (len(list(tx.identity_map)), tx.info.get("kept")) == (0, None)
        assert (await tx.execute(select(Keeper.user_id))).scalar_one() == "U1"


async def test_a_transaction_whose_flush_failed_takes_no_more_and_stores_nothing(database: Database):
    """Where whoever asked for it went on all the same; on both kinds of database."""
    for go_on in (KEEPERS.all, nothing):
        with pytest.raises(StorageError):
            await _went_on(database, go_on)
        async with database.reading() as tx:
            assert (await tx.execute(select(Keeper))).all() == []


KEEPERS = Prepared(select(col(Keeper.user_id)))


async def nothing(_tx: Transaction) -> None:
    """Whoever goes on asks nothing more."""


async def _went_on(database: Database, go_on: Callable[[Transaction], Awaitable[Any]]) -> None:
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("INSERT INTO keeper (team_id, user_id, since) VALUES ('T1', 'U1', '2026-01-01')"))
        tx.add(Keeper(team_id="T1", user_id="U1", since=utcnow()))
        with suppress(IntegrityError):
            await tx.flush()
        await go_on(tx)


async def test_a_brief_transaction_that_is_used_after_its_end_is_in_nobodys_way(sqlite_url: str):
    database = Database(sqlite_url)
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("CREATE TABLE noted (number INTEGER PRIMARY KEY)"))
    tx.sync_session.connection()  # this begins another one
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("INSERT INTO noted (number) VALUES (1)"))
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM noted"))).scalar_one() == 1
    await database.close()


async def test_what_is_under_way_when_a_database_is_closed_leaves_no_connection_behind(sqlite_url: str):
    database = Database(sqlite_url)
    async with database.transaction(brief=True) as tx:
        driver = tx.info[HERE]
        await database.close()
    assert database.engine.pool.checkedout() == 0
    with pytest.raises(ValueError, match="no active connection"):  # closed, not only put back
        await driver.begin()


async def test_a_brief_transaction_that_breaks_is_rolled_back(database: Database):
    """On both kinds of database."""
    with pytest.raises(IntegrityError):
        await _broken(database)
    async with database.reading() as tx:
        assert (await tx.execute(select(Keeper))).all() == []


async def test_brief_transactions_and_others_take_turns_with_one_connection(sqlite_url: str):
    database = Database(sqlite_url)
    opened: list[Any] = []
    event.listen(database.engine.sync_engine, "connect", lambda connection, _record: opened.append(connection))
    for brief in (True, True, False, True, False, False, True):
        async with database.transaction(brief=brief) as tx:
            await tx.execute(text("SELECT 1"))
    assert len(opened) == 1
    await database.close()


@pytest.mark.parametrize("when", ["its statements", "its commit"])
async def test_a_brief_transaction_that_is_stopped_leaves_no_lock_and_nothing_half_written(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, when: str
):
    database = Database(sqlite_url)
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE noted (number INTEGER PRIMARY KEY)"))
    reached = asyncio.Event()

    async def never(_connection: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def insert() -> None:
        async with database.transaction(brief=True) as tx:
            await tx.execute(text("INSERT INTO noted (number) VALUES (1)"))
            if when == "its statements":
                await never(tx)

    with monkeypatch.context() as patched:
        if when == "its commit":
            patched.setattr(one_hop.OneHopConnection, "commit", never)
        task = asyncio.create_task(insert())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(2), database.transaction(brief=True) as tx:
        await tx.execute(text("INSERT INTO noted (number) VALUES (2)"))
    async with database.reading() as tx:
        assert list((await tx.execute(text("SELECT number FROM noted"))).scalars()) == [2]
    await database.close()


async def test_a_commit_that_fails_is_the_databases_error_and_the_next_one_goes_on(sqlite_url: str):
    database = Database(sqlite_url)
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE noted (number INTEGER PRIMARY KEY)"))
        await tx.execute(text("CREATE TABLE told (number REFERENCES noted (number) DEFERRABLE INITIALLY DEFERRED)"))
    with pytest.raises(StorageError):
        await _orphaned(database)
    async with database.transaction(brief=True) as tx:
        assert (await tx.execute(text("SELECT count(*) FROM told"))).scalar_one() == 0
    await database.close()


async def _orphaned(database: Database) -> None:
    async with database.transaction(brief=True) as tx:
        await tx.execute(text("INSERT INTO told (number) VALUES (7)"))


async def _broken(database: Database) -> None:
    async with database.transaction(brief=True) as tx:
        tx.add(Keeper(team_id="T1", user_id="U1", since=utcnow()))
        await tx.flush()
        await tx.execute(text("INSERT INTO keeper (team_id) VALUES (NULL)"))


def test_one_that_is_thrown_away_ends_also_where_its_event_loop_is_closed_by_then(tmp_path: Path):
    loop, held = asyncio.new_event_loop(), threading.Event()
    opened = loop.run_until_complete(one_hop.connect(tmp_path / "some.db", check_same_thread=False))
    thread = opened._own._thread
    assert thread is not None
    loop.run_until_complete(thrown_away(opened, held.wait))
    loop.close()
    held.set()
    thread.join(10)  # an error in it fails this test: see filterwarnings
    assert not thread.is_alive()


async def thrown_away(connection: one_hop.OneHopConnection, under_way: Callable[[], object]) -> None:
    asked = asyncio.create_task(connection.do(lambda _: under_way()))
    await asyncio.sleep(0)
    connection.stop()
    asked.cancel()
