"""A new database is made at once, without Alembic, and is what all migrations together would have left."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text
from support.catalog import catalog
from support.postgres import made

from storage import migrate
from storage.database import Database, StorageError

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def empty(tmp_path, postgresql_server):
    """A database without a table, beside `database`."""
    async with AsyncExitStack() as stack:
        if postgresql_server is None:
            url = f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        else:
            url = await stack.enter_async_context(made(postgresql_server))
        opened = Database(url)
        stack.push_async_callback(opened.close)
        yield opened


@pytest.fixture
def no_alembic(monkeypatch):
    """Whoever asks Alembic for something fails."""

    def refuse(*_args):
        pytest.fail("Alembic was asked")

    monkeypatch.setattr(command, "upgrade", refuse)


async def take_to(database, revision):
    """Through one migration after the other."""
    async with database.altering() as connection:
        await connection.run_sync(lambda sync: command.upgrade(migrate.config(sync), revision))


async def tables(database):
    async with database.reading() as tx:
        return set(await (await tx.connection()).run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_the_models_say_what_all_migrations_together_leave(empty, database):
    await take_to(empty, "head")
    assert await migrate.drift(empty) == []  # says in fewer words what the models have and no migration makes
    assert await catalog(database) == await catalog(empty)


@pytest.mark.parametrize("revision", migrate._known()[1:])
async def test_a_database_of_any_version_becomes_what_a_new_one_is(empty, database, revision):
    await take_to(empty, revision)
    assert (await migrate.shape(empty)).current == revision
    await migrate.upgrade(empty)
    assert await catalog(empty) == await catalog(database)


@pytest.mark.usefixtures("no_alembic")
async def test_replicas_that_start_at_once_make_it_once(empty, database):
    replicas = [Database(empty.url.render_as_string(hide_password=False)) for _ in range(4)]
    await asyncio.gather(*(migrate.upgrade(one) for one in replicas))
    for one in replicas:
        await one.close()
    assert await catalog(empty) == await catalog(database)


@pytest.mark.usefixtures("no_alembic")
async def test_somebody_elses_tables_are_left_alone(empty):
    async with empty.transaction() as tx:
        await tx.execute(text("CREATE TABLE theirs (number INTEGER)"))
        await tx.execute(text("INSERT INTO theirs VALUES (7)"))
    await migrate.upgrade(empty)
    assert (await migrate.shape(empty)).is_current
    assert (await catalog(empty))["rows"]["theirs"] == [(7,)]


async def test_where_it_cannot_be_made_whole_nothing_is(empty):
    async with empty.transaction() as tx:
        await tx.execute(text("CREATE VIEW webhook AS SELECT 1"))  # of the last tables one
    with pytest.raises(StorageError):
        await migrate.upgrade(empty)
    assert await tables(empty) == set()


START = """
import asyncio, os, signal, sys
from sqlalchemy import Engine, event
from storage import migrate
from storage.database import Database

async def start(address):
    database = Database(address)
    await migrate.upgrade(database)
    await database.close()

def end(connection, cursor, statement, *rest):
    if statement.startswith("INSERT INTO alembic_version"):
        os.kill(os.getpid(), signal.SIGKILL)

if "killed" in sys.argv:
    event.listen(Engine, "before_cursor_execute", end)
asyncio.run(start(sys.argv[1]))
sys.exit("alembic" in sys.modules)
"""
"""In a process of its own, for in this one Alembic has been loaded; killed when all tables are made and that is not written down."""


async def start(database, *how):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", START, database.url.render_as_string(hide_password=False), *how), env=environment
    )
    return await process.wait()


async def test_a_start_that_is_killed_leaves_nothing_and_the_next_one_makes_it(empty, database):
    assert await start(empty, "killed") == -signal.SIGKILL
    assert await tables(empty) == set()
    assert await start(empty) == 0
    assert await catalog(empty) == await catalog(database)
