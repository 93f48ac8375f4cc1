"""Bringing a database to the newest shape, on both kinds."""

import asyncio
import sqlite3

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex
from support.catalog import catalog

from storage import leftovers, migrate
from storage.database import Database, StorageError
from storage.models import Audit, Business, Direction, Environment, FirstReply, Lead, LeadEvent, Message, Route, Row
from storage.models.base import migrations_metadata


@pytest.fixture
async def empty(empty_database_url):
    opened = Database(empty_database_url)
    yield opened
    await opened.close()


async def tables(database):
    async with database.reading() as tx:
        return set(await (await tx.connection()).run_sync(lambda sync: inspect(sync).get_table_names()))


async def run(database, statement):
    async with database.transaction() as tx:
        await tx.execute(text(statement))


async def downgrade(database, revision):
    async with database.altering() as connection:
        await connection.run_sync(lambda sync: command.downgrade(migrate.config(sync), revision))


async def test_an_empty_database_gets_every_table_as_the_models_describe_it(empty):
    before = await migrate.shape(empty)
    assert (before.current, before.is_current) == (None, False)
    assert "no tables yet" in before.advice
    assert await migrate.upgrade(empty) is None
    assert (await migrate.shape(empty)).is_current
    assert await tables(empty) == {*Row.metadata.tables, "alembic_version"}
    assert await migrate.drift(empty) == []


def test_the_revisions_are_known_by_their_files():
    alembics = ScriptDirectory.from_config(migrate.config()).walk_revisions()
    assert migrate._known() == tuple(one.revision for one in alembics)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_migration_that_is_written_anew_knows_over_which_rows_an_index_is(dialect):
    (index,) = (one for one in migrations_metadata().tables["inbox"].indexes if one.name == "ix_inbox_dead")
    made = CreateIndex(index).compile(dialect=registry.load(dialect)())
    assert str(made) == "CREATE INDEX ix_inbox_dead ON inbox (id) WHERE state = 'dead'"


async def test_drift_is_seen(database):
    await run(database, "ALTER TABLE keeper ADD COLUMN shoe_size INTEGER")
    assert ["shoe_size" in one for one in await migrate.drift(database)] == [True]


async def test_down_and_up_again_gives_the_same_tables(database):
    before = await catalog(database)
    await downgrade(database, "base")
    assert await tables(database) == {"alembic_version"}
    await migrate.upgrade(database)
    assert await catalog(database) == before


async def test_what_an_older_version_wrote_is_kept(database):
    await downgrade(database, "0001")
    await run(database, "INSERT INTO audit (action, at) VALUES ('keeper_set', '2026-11-22 09:00:00')")
    await migrate.upgrade(database)
    async with database.reading() as tx:
        (kept,) = (await tx.execute(select(Audit))).scalars().all()
    assert (kept.action, kept.before, kept.after, kept.business_id) == ("keeper_set", {}, {}, None)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_sqlite_file_that_holds_something_is_copied_first(database):
    await run(database, "INSERT INTO lane (key, held) VALUES ('kept', false)")
    await run(database, "UPDATE alembic_version SET version_num = '0000'")  # as if it were older
    with pytest.raises(Exception, match="0000"):
        await downgrade(database, "base")
    await run(database, "DELETE FROM alembic_version")
    for table in Row.metadata.tables:
        if table != "lane":
            await run(database, f"DROP TABLE {table}")
    with pytest.raises(StorageError):  # there is a table lane already
        await migrate.upgrade(database)
    (copied,) = database.file.parent.glob("corkboard.db.before-*")
    head = (await migrate.shape(database)).head
    assert copied.name.startswith(f"corkboard.db.before-{head}-")
    with sqlite3.connect(copied) as found:
        assert found.execute("SELECT key FROM lane").fetchall() == [("kept",)]
    found.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_of_the_copies_that_upgrades_made_the_newest_alone_is_left(database):
    earlier = [
        database.file.with_name(f"corkboard.db.before-{one}") for one in ("0007-20260801T0900", "0009-20260901T0900")
    ]
    replaced = database.file.with_name("corkboard.db.replaced-20260801-090000")
    for one in (*earlier, replaced):
        one.write_text("somebody who was erased since")
    await downgrade(database, "0001")
    copied = await migrate.upgrade(database)
    assert leftovers.of(database.file) == [copied, replaced]
    assert await migrate.upgrade(database) is None
    assert leftovers.of(database.file) == [copied, replaced]


async def test_a_failed_upgrade_changes_nothing(empty):
    await run(empty, "CREATE TABLE outbox (number INTEGER)")
    before = await tables(empty)
    with pytest.raises(StorageError):
        await migrate.upgrade(empty)
    assert await tables(empty) in (before, {*before, "alembic_version"})
    assert (await migrate.shape(empty)).current is None


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_an_upgrade_and_ordinary_work_that_wait_for_each_other_both_end(database, monkeypatch):
    monkeypatch.setattr(migrate, "PAUSES", (0.1, 0.2))
    await downgrade(database, "0004")
    async with database.transaction() as tx:
        await tx.execute(text("SET LOCAL deadlock_timeout = '20s'"))  # so that it is the upgrade which PostgreSQL ends
        await tx.execute(text("SELECT * FROM business"))
        upgrading = asyncio.create_task(migrate.upgrade(database))
        await _waited_for(database)
        await tx.execute(text("UPDATE outbox SET reason = 'x' WHERE false"))
    await upgrading
    assert (await migrate.shape(database)).is_current


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["lead", "message", "lead_event", "outbox"])
async def test_to_exchange_indexes_waits_for_who_has_read_and_is_in_nobodys_way_meanwhile(database, table, monkeypatch):
    monkeypatch.setattr(migrate, "PAUSES", ())
    await downgrade(database, "0010" if table == "lead" else "0011")
    async with database.transaction() as tx:
        await tx.execute(text("SET LOCAL deadlock_timeout = '20s'"))
        await tx.execute(text(f"SELECT * FROM {table}"))
        upgrading = asyncio.create_task(migrate.upgrade(database))
        await _waited_for(database)
        await tx.execute(text(f"DELETE FROM {table}"))  # it would wait for the upgrade, which waits for us
    await upgrading
    assert (await migrate.shape(database)).is_current


async def _waited_for(database):
    """Until somebody waits for a table."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    async with asyncio.timeout(20):
        found = 0
        while not found:
            async with database.reading() as tx:
                found = (await tx.execute(query)).scalar_one()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_an_upgrade_gives_way_and_says_so_where_a_table_is_in_use_all_the_time(database, monkeypatch):
    monkeypatch.setattr(migrate, "PAUSES", (0.01,))
    monkeypatch.setattr("storage.database.LOCK_WITHIN", "50ms")
    await downgrade(database, "0004")
    async with database.transaction() as tx:
        await tx.execute(text("SELECT * FROM business"))
        with pytest.raises(migrate.TablesInUse, match="stop the other processes"):
            await migrate.upgrade(database)
    assert (await migrate.shape(database)).current == "0004"
    await migrate.upgrade(database)


async def test_the_newest_shape_is_left_alone(database):
    assert await migrate.upgrade(database) is None
    if database.is_sqlite:
        assert [one.name for one in database.file.parent.glob("*before*")] == []


async def test_a_database_of_a_newer_version_is_left_alone_and_said_so(database):
    await run(database, "UPDATE alembic_version SET version_num = '9999'")
    assert await migrate.upgrade(database) is None
    found = await migrate.shape(database)
    assert (found.current, found.is_current, found.is_newer, found.is_usable) == ("9999", False, True, True)
    assert "A newer version of Corkboard" in found.advice


async def test_a_database_of_no_version_is_left_alone_and_of_no_use(database):
    await run(database, "UPDATE alembic_version SET version_num = '0000'")
    assert await migrate.upgrade(database) is None
    found = await migrate.shape(database)
    assert (found.is_newer, found.is_usable) == (False, False)
    assert "look where DATABASE_URL leads" in found.advice


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_replicas_that_upgrade_at_once_wait_for_each_other(database):
    await downgrade(database, "0004")
    databases = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    await asyncio.gather(*(migrate.upgrade(one) for one in databases))
    assert await migrate.drift(database) == []
    for one in databases:
        await one.close()


async def test_a_table_that_others_refer_to_can_be_built_anew(database):
    """SQLite drops the old table for it, which with foreign keys on would take or refuse the rows that refer to it."""
    lead = {"environment": Environment.PRODUCTION, "generation": "legacy"}
    at = migrate.utcnow()
    async with database.transaction() as tx:
        tx.add(Business(id=1, environment=Environment.PRODUCTION, thumbtack_id="1", created_at=at))
        await tx.flush()
        tx.add(Lead(thumbtack_id="2", business_id=1, **lead))

    def change(connection):
        operations = Operations(MigrationContext.configure(connection, opts={"target_metadata": Row.metadata}))
        with operations.batch_alter_table("business", recreate="always" if database.is_sqlite else "never") as batch:
            batch.add_column(sa.Column("motto", sa.Text(), nullable=True))

    async with database.altering() as connection:
        await connection.run_sync(change)
    async with database.reading() as tx:
        rows = await tx.execute(text("SELECT lead.thumbtack_id FROM lead JOIN business ON business.id = business_id"))
        assert rows.scalars().all() == ["2"]


async def test_a_change_that_leaves_rows_without_what_they_refer_to_is_refused(database):
    with pytest.raises(StorageError):
        await _orphan(database)
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM customer"))).scalar_one() == 0


async def _orphan(database):
    async with database.altering() as connection:
        await connection.execute(
            text("INSERT INTO customer (business_id, thumbtack_id, created_at) VALUES (7, '1', '2026-09-01')")
        )


async def test_a_new_sqlite_file_is_its_owners_alone(tmp_path):
    file = tmp_path / "corkboard.db"
    opened = Database(f"sqlite+aiosqlite:///{file}")
    await migrate.upgrade(opened)
    modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    await opened.close()
    assert set(modes.values()) == {0o600}, modes


async def test_rows_of_the_version_before_survive_both_ways(database):
    at, lead = migrate.utcnow(), {"environment": Environment.PRODUCTION, "generation": "legacy"}
    async with database.transaction() as tx:
        tx.add(Business(id=1, environment=Environment.PRODUCTION, thumbtack_id="1", created_at=at, on_duty=["U1"]))
        await tx.flush()
        tx.add(Lead(id=2, thumbtack_id="2", business_id=1, owner="U1", waiting_since=at, ring=["U1"], **lead))
        await tx.flush()
        tx.add(
            Message(
                id=3,
                lead_id=2,
                environment=Environment.PRODUCTION,
                direction=Direction.OUTBOUND,
                text="Hi",
                stored_at=at,
            )
        )
        await tx.flush()
        tx.add(FirstReply(lead_id=2, message_id=3, at=at))
        tx.add(Route(position=0, business="1", channel="C0LEADS"))
        tx.add(LeadEvent(lead_id=2, kind="claimed", actor="U1", via="slack", at=at))
    await downgrade(database, "0003")
    async with database.reading() as tx:
        assert (await tx.execute(text("SELECT thumbtack_id, business_id FROM lead"))).all() == [("2", 1)]
    await migrate.upgrade(database)
    assert await migrate.drift(database) == []
    async with database.reading() as tx:
        (kept,) = (await tx.execute(select(Lead))).scalars().all()
        assert (kept.thumbtack_id, kept.owner, kept.waiting_since, kept.ring) == ("2", None, None, None)
        assert [one.text for one in (await tx.execute(select(Message))).scalars()] == ["Hi"]
        assert (await tx.execute(select(FirstReply))).all() == []
