"""What the columns promise, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, func, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from storage.columns import Json, UtcDateTime
from storage.database import Database

THINGS = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime),
    Column("data", Json),
    Column("words", Text),
)
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS)  # noqa: DTZ001 -- bounds are naive
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def things(database_url):
    """A database with one table that holds a column of each type."""
    opened = Database(database_url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(THINGS.metadata.create_all)
    yield opened
    await opened.close()


async def kept(things, column, values):
    """What the values of one column are once they were written and read again."""
    async with things.transaction() as tx:
        await tx.execute(THINGS.delete())
        rows = [{"number": number, column: value} for number, value in enumerate(values)]
        await tx.execute(insert(THINGS), rows)
    async with things.reading() as tx:
        return list((await tx.execute(select(THINGS.c[column]).order_by(THINGS.c.number))).scalars())


@given(INSTANTS)
def test_sqlite_keeps_an_instant_as_sqlalchemy_would_have_it(instant):
    dialect, column = sqlite.dialect(), UtcDateTime()
    as_text = sqlite.DATETIME().bind_processor(dialect)
    kept = column.bind_processor(dialect)(instant)
    assert kept == as_text(column.process_bind_param(instant, dialect))
    assert column.result_processor(dialect, None)(kept) == instant


@FEW
@given(st.lists(INSTANTS, min_size=1, max_size=20))
async def test_an_instant_comes_back_as_the_same_instant_in_utc(things, instants):
    found = await kept(things, "at", instants)
    assert found == instants
    assert {one.tzinfo for one in found} == {UTC}


async def test_an_hour_that_comes_twice_is_two_instants(things):
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    assert await kept(things, "at", [first, first.replace(fold=1)]) == [
        datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)
    ]


async def test_a_naive_time_is_refused(things):
    with pytest.raises(StatementError, match="naive time"):
        await kept(things, "at", [datetime(2026, 9, 1, 12, 0)])  # noqa: DTZ001 -- what is refused here


async def test_no_time_is_no_time(things):
    assert await kept(things, "at", [None, NOON]) == [None, NOON]


async def test_instants_are_compared_as_instants_whatever_zone_they_were_written_in(things):
    west = timezone(timedelta(hours=-7))
    await kept(things, "at", [NOON, NOON.astimezone(west) + timedelta(seconds=1), NOON - timedelta(microseconds=1)])
    async with things.reading() as tx:
        query = select(THINGS.c.number).where(THINGS.c.at >= NOON.astimezone(west)).order_by(THINGS.c.at)
        assert list((await tx.execute(query)).scalars()) == [0, 1]


@FEW
@given(st.lists(JSON, min_size=1, max_size=10))
async def test_json_comes_back_as_it_was(things, values):
    assert await kept(things, "data", values) == values


async def test_no_json_is_null_in_the_database(things):
    await kept(things, "data", [None, {}, []])
    async with things.reading() as tx:
        query = select(func.count()).select_from(THINGS).where(THINGS.c.data.is_(None))
        assert (await tx.execute(query)).scalar_one() == 1


@FEW
@given(st.lists(st.integers(2**53, 2**80).map(str) | TEXT, min_size=1, max_size=20))
async def test_ids_beyond_what_a_float_holds_survive_as_text(things, ids):
    assert await kept(things, "words", ids) == ids
