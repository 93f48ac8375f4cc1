"""Prepared statements give what any other statement gives, on both kinds of database, and on SQLite without its detour."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from sqlalchemy import bindparam, func, insert, literal, select, text, update
from sqlmodel import col
from support.hearing import hearing

from storage.away import is_away
from storage.columns import Json
from storage.database import Database, StorageError, Transaction, afresh, at_length
from storage.models import Keeper, Outbox
from storage.prepared import Prepared

AT = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=timezone(timedelta(hours=2)))
ENTRY: dict[str, Any] = {
    "delivery_id": "d1", "kind": "post_lead", "position": "", "priority": 1, "payload": {"said": ["ä", None]},
    "created_at": AT, "state": "pending", "due_at": AT, "attempt": 0, "mistakes": 0,
}  # fmt: skip

ADD = Prepared(insert(Outbox).values({name: bindparam(name) for name in ENTRY}).returning(col(Outbox.id)))
READ = Prepared(
    select(col(Outbox.payload), col(Outbox.due_at), col(Outbox.settled_at), col(Outbox.kind) == "post_lead").where(
        col(Outbox.id) == bindparam("of")
    )
)
MOVE = Prepared(update(Outbox).where(col(Outbox.due_at) <= bindparam("till")).values(due_at=bindparam("at")))
KEEPERS = Prepared(select(col(Keeper.user_id)).order_by(col(Keeper.user_id)))


Begin = Callable[[], AbstractAsyncContextManager[Transaction]]


@pytest.fixture(params=[True, False], ids=["brief", "at length"])
def begin(request: pytest.FixtureRequest, database: Database) -> Begin:
    """The same is given either way."""
    return partial(database.transaction, brief=request.param)


async def test_values_are_kept_and_given_back_as_their_columns_say(begin: Begin):
    async with begin() as tx:
        entry_id = await ADD.scalar(tx, **ENTRY)
        payload, due_at, settled_at, is_lead = await READ.first(tx, of=entry_id)
        kept = await tx.get(Outbox, entry_id)
        assert kept is not None
        assert (payload, due_at, settled_at, is_lead) == (kept.payload, kept.due_at, None, True)
        assert (payload, due_at, due_at.tzinfo) == ({"said": ["ä", None]}, AT, UTC)


async def test_columns_are_there_by_their_names(begin: Begin):
    async with begin() as tx:
        await ADD.all(tx, **ENTRY)
        (found,) = await Prepared(select(col(Outbox.delivery_id), col(Outbox.due_at))).all(tx)
    assert (found.delivery_id, found.due_at) == ("d1", AT)


async def test_what_gives_nothing_gives_none(begin: Begin):
    async with begin() as tx:
        assert (await READ.all(tx, of=7), await READ.first(tx, of=7), await READ.scalar(tx, of=7)) == ([], None, None)


async def test_it_tells_how_many_rows_it_changed(begin: Begin):
    async with begin() as tx:
        for number in range(3):
            await ADD.all(tx, **{**ENTRY, "delivery_id": f"d{number}"})
        assert await MOVE.changed(tx, till=AT, at=AT + timedelta(days=1)) == 3
        assert await MOVE.changed(tx, till=AT, at=AT) == 0


async def test_values_that_stand_in_the_statement_are_kept_as_their_types_say(begin: Begin):
    same = select(literal({"a": 1}, Json()).label("same"), func.coalesce(literal(None), "else"))
    async with begin() as tx:
        assert tuple(await Prepared(same).first(tx)) == ({"a": 1}, "else")


async def test_what_was_changed_before_is_written_first(begin: Begin):
    async with begin() as tx:
        keeper = Keeper(team_id="T1", user_id="U1", since=AT)
        tx.add(keeper)
        assert await KEEPERS.scalar(tx) == "U1"
        keeper.user_id = "U2"
        assert await KEEPERS.scalar(tx) == "U2"
        await tx.delete(keeper)
        assert await KEEPERS.scalar(tx) is None


async def test_a_flush_of_nothing_begins_nothing(begin: Begin):
    async with begin() as tx:
        await tx.flush()
        assert await KEEPERS.all(tx) == []


async def test_an_error_is_the_databases_and_does_not_tell_the_values(database: Database, begin: Begin):
    secret = {**ENTRY, "kind": "somebody's secret"}
    with pytest.raises(StorageError) as raised:
        await _twice(begin, secret)
    assert "secret" not in str(raised.value).partition("DETAIL")[0]
    async with database.reading() as tx:
        assert (await tx.execute(select(Outbox))).all() == []


async def _twice(begin: Begin, entry: dict[str, Any]) -> None:
    async with begin() as tx:
        await ADD.all(tx, **entry)
        await ADD.all(tx, **entry)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_server_that_goes_away_meanwhile_is_away_and_the_next_transaction_goes_on(database: Database):
    other = Database(database.url.render_as_string(hide_password=False))
    for ask in (KEEPERS.all, partial(MOVE.changed, till=AT, at=AT)):
        with pytest.raises((StorageError, OSError)) as raised:
            await _ended_between(database, other, ask)
        assert is_away(raised.value)
    async with database.transaction() as tx:
        assert await KEEPERS.all(tx) == []
    await other.close()


async def _ended_between(database: Database, other: Database, ask: Callable[[Transaction], Awaitable[Any]]) -> None:
    async with database.transaction() as tx:
        pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with other.transaction() as ending:
            await ending.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        await ask(tx)


async def test_a_value_that_is_not_given_is_a_mistake(begin: Begin):
    async with begin() as tx:
        with pytest.raises((KeyError, StorageError)):
            await READ.all(tx)


async def test_a_time_that_is_no_instant_is_refused(database: Database):
    async with database.transaction(brief=True) as tx:
        with pytest.raises((ValueError, StorageError), match="naive time"):
            await MOVE.changed(tx, till=datetime(2026, 3, 4), at=AT)  # noqa: DTZ001 -- that is the point


async def test_what_it_changed_is_seen_by_who_looks_afresh_and_nothing_that_was_changed_before_is_lost(begin: Begin):
    async with begin() as tx:
        entry_id = await ADD.scalar(tx, **ENTRY)
        before = await tx.get(Outbox, entry_id)
        assert before is not None
        await MOVE.changed(tx, till=AT, at=AT + timedelta(days=1))
        before.reason = "changed"
        await afresh(tx)
        after = await tx.get(Outbox, entry_id)
        assert after is not None
        assert (after.due_at, after.reason) == (AT + timedelta(days=1), "changed")


async def test_it_goes_to_sqlite_as_sqlalchemy_says_it(sqlite_url: str):
    heard: list[str] = []
    database = Database(sqlite_url)
    statement = Prepared(select(literal(1).label("one")))
    with hearing(heard.append):
        async with database.transaction(brief=True) as tx:
            await statement.all(tx)
            at_length(tx)
            await statement.all(tx)
    assert len({one for one in heard if one.startswith("SELECT")}) == 1
    assert len(heard) == 2, "BEGIN and COMMIT are the thread's"
    await database.close()
