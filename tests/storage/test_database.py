"""Transactions: all or nothing, also when a task is cancelled in the middle of one; and who is woken by a commit."""

import asyncio
import random
import sqlite3
import stat

import pytest
from sqlalchemy import func, make_url, select, text
from sqlmodel import col
from support.addresses import database_address

from storage import migrate
from storage.database import Database, StorageError, is_usable, touch
from storage.models import Keeper, Lane


async def names(database):
    async with database.reading() as tx:
        return set((await tx.execute(select(col(Lane.key)))).scalars())


async def broken(database, topic):
    async with database.transaction() as tx:
        tx.add(Lane(key="lost"))
        touch(tx, topic)
        await tx.flush()
        raise RuntimeError


async def test_what_was_written_stays_when_the_block_ends_and_goes_when_it_raises(database):
    async with database.transaction() as tx:
        tx.add(Lane(key="kept"))
    with pytest.raises(RuntimeError):
        await broken(database, "outbox")
    assert await names(database) == {"kept"}


async def test_a_cancelled_task_leaves_nothing_half_written_and_no_lock(database):
    """On SQLite an unfinished cursor of a cancelled task kept the lock until it was collected: writers waited 5 s."""
    dice = random.Random(7)  # noqa: S311 -- no secret is made here

    async def pair(number):
        async with database.transaction(brief=number % 3 > 0) as tx:
            await tx.execute(text(f"INSERT INTO lane (key, held) VALUES ('a{number}', false)"))
            await tx.execute(select(func.count()).select_from(Lane))
            await tx.execute(text(f"INSERT INTO lane (key, held) VALUES ('b{number}', false)"))

    await names(database)
    async with database.transaction() as tx:  # SQLAlchemy's pool forgets who waits for a first connection
        await tx.execute(select(1))
    results = []
    for turn in range(25):
        tasks = [asyncio.create_task(pair(turn * 8 + number)) for number in range(8)]
        for _ in range(dice.randrange(200)):
            await asyncio.sleep(0)
        for task in dice.sample(tasks, 4):
            task.cancel()
        results.append(await asyncio.gather(*tasks, return_exceptions=True))
    errors = {type(one) for turn in results for one in turn if one is not None}
    assert errors == {asyncio.CancelledError}
    found = await names(database)
    assert {name[1:] for name in found if name[0] == "a"} == {name[1:] for name in found if name[0] == "b"}
    async with asyncio.timeout(2), database.transaction() as tx:
        tx.add(Lane(key="at once"))


async def test_a_commit_wakes_who_waits_for_what_it_touched(database):
    woken = []
    database.on_commit("outbox", lambda: woken.append("outbox"))
    database.on_commit("inbox", lambda: woken.append("inbox"))
    async with database.transaction() as tx:
        touch(tx, "outbox")
        touch(tx, "outbox")
        assert woken == []
    assert woken == ["outbox"]
    with pytest.raises(RuntimeError):
        await broken(database, "inbox")
    assert woken == ["outbox"]


async def test_reading_does_not_wait_for_a_writer(database):
    async with database.transaction() as tx:
        tx.add(Lane(key="not yet"))
        await tx.flush()
        async with asyncio.timeout(2):
            assert await names(database) == set()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_connection_of_a_postgresql_that_was_restarted_is_not_used_again(database):
    async with database.transaction() as tx:
        ours = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    other = Database(database.url.render_as_string(hide_password=False))
    async with other.transaction() as tx:
        await tx.execute(text(f"SELECT pg_terminate_backend({ours})"))
    async with asyncio.timeout(5):
        await _ended(other, ours)
    await other.close()
    assert await names(database) == set()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_connection_that_was_left_within_a_transaction_is_not_used_again(database):
    async with database.asyncpg_connection() as connection:
        await connection.execute("BEGIN")  # and the server took no ROLLBACK
    for number in range(3):
        async with database.transaction() as tx:
            tx.add(Lane(key=f"after {number}"))
    assert len(await names(database)) == 3


async def _ended(database, pid):
    async with database.reading() as tx:
        query = text(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")
        while (await tx.execute(query)).scalar_one() > 0:
            await tx.execute(text("SELECT pg_stat_clear_snapshot()"))


async def test_an_error_does_not_say_what_was_to_be_written(database):
    with pytest.raises(StorageError) as raised:
        async with database.transaction() as tx:
            tx.add(Keeper(team_id="T0", user_id="somebody's secret", since=None))
    assert "parameters hidden" in str(raised.value)
    assert "secret" not in str(raised.value).partition("DETAIL")[0]  # PostgreSQL's own details are never logged


async def test_a_sqlite_file_keeps_what_it_acknowledged(sqlite_url):
    database = Database(sqlite_url)
    async with database.transaction(brief=True):
        pass
    for session in (database.transaction(), database.reading()):
        async with session as tx:
            found = {
                name: (await tx.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    await database.close()


async def test_who_only_reads_a_sqlite_file_cannot_write(sqlite_url):
    database = Database(sqlite_url)
    with pytest.raises(StorageError, match="readonly"):
        async with database.reading() as tx:
            await tx.execute(text("CREATE TABLE things (number INTEGER)"))
    await database.close()


async def test_who_reads_and_then_writes_a_sqlite_file_waits_for_the_other_process(sqlite_url):
    """A plain BEGIN would fail at once, whatever busy_timeout says."""
    databases = [Database(sqlite_url) for _ in range(4)]
    await migrate.upgrade(databases[0])

    async def count_up(database):
        async with database.transaction() as tx:
            known = (await tx.execute(select(func.count()).select_from(Lane))).scalar_one()
            tx.add(Lane(key=f"number {known}"))

    await asyncio.gather(*(count_up(database) for database in databases * 5))
    assert len(await names(databases[0])) == 20
    for database in databases:
        await database.close()


async def test_a_copy_of_a_sqlite_file_is_whole_and_as_private(sqlite_url):
    database = Database(sqlite_url)
    assert await database.copy("before") is None
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE things (number INTEGER)"))
        await tx.execute(text("INSERT INTO things VALUES (7)"))
    database.file.chmod(0o640)
    async with database.transaction() as tx:  # a writer does not hinder it, and what it has not committed is not copied
        await tx.execute(text("INSERT INTO things VALUES (8)"))
        copied = await database.copy("before")
    await database.close()
    assert copied == database.file.with_name("corkboard.db.before")
    assert stat.S_IMODE(copied.stat().st_mode) == 0o640
    found = sqlite3.connect(copied)
    assert found.execute("SELECT number FROM things").fetchall() == [(7,)]
    found.close()


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("sqlite+aiosqlite:///corkboard.db", True),
        ("sqlite+aiosqlite:////var/lib/corkboard.db", True),
        ("postgresql+asyncpg://corkboard:secret@db/corkboard", True),
        ("postgresql+asyncpg:///corkboard?host=/run/postgresql", True),
        ("sqlite+aiosqlite://", False),
        ("sqlite+aiosqlite:///:memory:", False),
        ("sqlite+aiosqlite://host/corkboard.db", False),
        ("sqlite:///corkboard.db", False),
        ("postgresql://db/corkboard", True),
        ("postgres://corkboard:secret@db:5432/corkboard?sslmode=require", True),
        ("postgres://db/corkboard?channel_binding=require", False),
        ("postgresql+psycopg://db/corkboard", False),
        ("postgresql+asyncpg://db:port/corkboard", False),
        ("mysql+aiomysql://db/corkboard", False),
        ("corkboard.db", False),
        ("", False),
    ],
)
def test_only_these_addresses_are_usable(url, usable):
    assert is_usable(url) is usable


async def test_an_address_as_hosts_hand_it_out_leads_to_the_same_database(postgres):
    driver = make_url(database_address(postgres, "postgres"))
    handed_out = driver.set(drivername="postgres").update_query_dict({"sslmode": "prefer"})
    database = Database(handed_out.render_as_string(hide_password=False))
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT current_database()"))).scalar_one() == "postgres"
    await database.close()
