"""The tests' PostgreSQL databases go from test to test: none may find there what another left."""

import asyncpg
import pytest
from support.postgres import Databases

PERSON = "INSERT INTO keeper (team_id, user_id, since) VALUES ('T0', 'U0', now()) RETURNING id"
MANY = "INSERT INTO keeper (team_id, user_id, since) SELECT repeat('x', 500), n, now() FROM generate_series(1, 15000) n"
ALTERED = {
    "a column more": "ALTER TABLE keeper ADD COLUMN shoe_size INTEGER",
    "a column's name": "ALTER TABLE keeper RENAME COLUMN since TO until",
    "an index less": "DROP INDEX ix_inbox_dead",
    "a rule more": "ALTER TABLE keeper ADD CONSTRAINT nobody CHECK (false) NOT VALID",
    "what is known of its rows": "ANALYZE keeper",
    "a setting": "ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'",
    "much that was in it": f"{MANY}; DELETE FROM keeper",
}


async def connected(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(url.replace("+asyncpg", ""))


async def test_the_next_finds_nothing_and_nobody_and_counts_from_one(postgresql_template: Databases):
    async with postgresql_template.lent() as url:
        left = await connected(url)
        assert await left.fetchval(PERSON) == 1
        begun = left.transaction()
        await begun.start()
        await left.execute("UPDATE keeper SET user_id = 'U1'")
    assert left.is_closed()
    async with postgresql_template.lent() as again:
        connection = await connected(again)
        assert (again, await connection.fetchval("SELECT count(*) FROM keeper")) == (url, 0)
        assert await connection.fetchval(PERSON) == 1
        await connection.close()


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
async def test_what_was_altered_goes_to_nobody(postgresql_template: Databases, altered: str):
    async with postgresql_template.lent() as url:
        connection = await connected(url)
        await connection.execute(altered.format(name=url.partition("?")[0].rpartition("/")[2]))
        await connection.close()
    async with postgresql_template.lent() as another:
        assert another != url
