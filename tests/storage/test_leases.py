"""One holder per name, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

from storage import leases
from storage.database import Database

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def acquire(database, owner, *, name="job:prune", now=NOW):
    async with database.transaction() as tx:
        return await leases.acquire(tx, name, owner=owner, now=now, lasts=HOUR)


async def test_one_holds_it_until_it_runs_out_or_takes_it_again(database):
    assert await acquire(database, "one")
    assert not await acquire(database, "two")
    assert await acquire(database, "two", name="job:other")
    assert await acquire(database, "one", now=NOW + HOUR / 2)
    assert not await acquire(database, "two", now=NOW + HOUR)
    assert await acquire(database, "two", now=NOW + HOUR * 2)
    assert not await acquire(database, "one", now=NOW + HOUR * 2)


async def test_of_several_that_ask_at_once_one_gets_it(database):
    replicas = [Database(database.url.render_as_string(hide_password=False)) for _ in range(5)]
    got = await asyncio.gather(*(acquire(one, f"replica {number}") for number, one in enumerate(replicas)))
    assert got.count(True) == 1
    for one in replicas:
        await one.close()
