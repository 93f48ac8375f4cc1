"""Connections: whom they speak for, who renews them, and what is forgotten when they end."""

from datetime import UTC, datetime, timedelta

from storage import businesses, connections
from storage.connections import Granted
from storage.database import Database
from storage.models import ConnectionState, Environment, Generation

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CLAIM = timedelta(seconds=5)


def granted(name: str = "a", *, now: datetime = NOW, refresh: bool = True) -> Granted:
    return Granted(
        access_token=f"access-{name}",
        refresh_token=f"refresh-{name}" if refresh else None,
        expires_at=now + timedelta(hours=1),
        renew_at=now + timedelta(minutes=40) if refresh else None,
        scopes=("messages", "targeting"),
    )


async def business(tx, name: str) -> int:
    made, _ = await businesses.ensure(
        tx, environment=Environment.PRODUCTION, thumbtack_id=name, name=name.title(), now=NOW
    )
    return made.id


async def connection(tx, *, business_ids=(), generation=Generation.LEGACY, name: str = "a", refresh: bool = True):
    made = await connections.add(
        tx,
        environment=Environment.PRODUCTION,
        generation=generation,
        team_id="T0TEAM",
        connected_by="U0BOSS",
        granted=granted(name, refresh=refresh),
        now=NOW,
    )
    await connections.link(tx, made, business_ids, now=NOW)
    return made


async def test_a_newer_connection_takes_over_and_the_older_one_forgets_its_tokens(database: Database):
    async with database.transaction() as tx:
        first = await business(tx, "first")
        older = await connection(tx, business_ids=[first])
        newer = await connection(tx, business_ids=[first], name="b")
    async with database.reading() as tx:
        found = await connections.of_business(tx, first, Generation.LEGACY)
        over = await connections.get(tx, older.id)
        assert found.id == newer.id
        assert over.state == ConnectionState.ENDED
        assert (over.access_token, over.refresh_token, over.renew_at) == (None, None, None)
        assert await connections.business_ids_of(tx, older.id) == []


async def test_an_older_connection_goes_on_for_the_businesses_that_are_left_to_it(database: Database):
    async with database.transaction() as tx:
        first, second = await business(tx, "first"), await business(tx, "second")
        older = await connection(tx, business_ids=[first, second], generation=Generation.V4)
        newer = await connection(tx, business_ids=[second], generation=Generation.V4, name="b")
    async with database.reading() as tx:
        assert (await connections.of_business(tx, first, Generation.V4)).id == older.id
        assert (await connections.of_business(tx, second, Generation.V4)).id == newer.id


async def test_the_two_apis_stand_side_by_side(database: Database):
    async with database.transaction() as tx:
        first = await business(tx, "first")
        legacy = await connection(tx, business_ids=[first])
        v4 = await connection(tx, business_ids=[first], generation=Generation.V4, name="b")
    async with database.reading() as tx:
        assert (await connections.of_business(tx, first, Generation.LEGACY)).id == legacy.id
        assert (await connections.of_business(tx, first, Generation.V4)).id == v4.id
        found = await connections.connected_businesses(tx, environment=Environment.PRODUCTION)
        assert [one.id for one in found] == [first]
        assert await connections.connected_businesses(tx, environment=Environment.STAGING) == []


async def test_linking_the_same_business_again_changes_nothing(database: Database):
    async with database.transaction() as tx:
        first = await business(tx, "first")
        made = await connection(tx, business_ids=[first])
        assert await connections.link(tx, made, [first], now=NOW) == []
        assert await connections.business_ids_of(tx, made.id) == [first]


async def test_one_at_a_time_renews_a_connection(database: Database):
    async with database.transaction() as tx:
        made = await connection(tx)
    later = NOW + timedelta(minutes=41)
    async with database.transaction() as tx:
        assert await connections.to_renew(tx, now=NOW) == []
        assert await connections.to_renew(tx, now=later) == [made.id]
        assert await connections.claim(tx, made.id, owner="one", now=later, lasts=CLAIM) is not None
    async with database.transaction() as tx:
        assert await connections.claim(tx, made.id, owner="two", now=later, lasts=CLAIM) is None
        assert await connections.to_renew(tx, now=later) == []


async def test_a_renewal_that_was_cut_off_is_taken_up_when_its_claim_ran_out(database: Database):
    async with database.transaction() as tx:
        made = await connection(tx)
        assert await connections.claim(tx, made.id, owner="one", now=NOW, lasts=CLAIM) is not None
    async with database.transaction() as tx:
        after = NOW + CLAIM
        assert await connections.to_renew(tx, now=after) == [made.id]
        taken = await connections.claim(tx, made.id, owner="two", now=after, lasts=CLAIM)
        assert taken.renewing_since == NOW  # the grace counts from the first try


async def test_at_the_start_what_a_dead_process_held_is_due_at_once(database: Database):
    async with database.transaction() as tx:
        made = await connection(tx)
        await connections.claim(tx, made.id, owner="one", now=NOW, lasts=CLAIM)
    async with database.transaction() as tx:
        await connections.release_claims(tx, now=NOW)
        assert await connections.to_renew(tx, now=NOW) == [made.id]


async def test_a_failed_renewal_waits_and_a_good_one_forgets_that_it_failed(database: Database):
    again_at = NOW + timedelta(minutes=1)
    async with database.transaction() as tx:
        made = await connection(tx)
        await connections.claim(tx, made.id, owner="one", now=NOW, lasts=CLAIM)
        connections.failed(made, reason="unavailable", again_at=again_at, now=NOW)
        await tx.flush()
        assert await connections.to_renew(tx, now=NOW + CLAIM) == []
        assert await connections.to_renew(tx, now=again_at) == [made.id]
        connections.renewed(made, granted("b"), now=again_at)
        assert (made.failures, made.reason, made.failing_since, made.claimed_by) == (0, None, None, None)
        assert (made.access_token, made.refresh_token, made.granted_at) == ("access-b", "refresh-b", again_at)


async def test_a_pair_without_a_refresh_token_keeps_the_one_there_was(database: Database):
    async with database.transaction() as tx:
        made = await connection(tx)
        connections.renewed(made, granted("b", refresh=False), now=NOW + timedelta(hours=1))
        assert (made.access_token, made.refresh_token, made.granted_at) == ("access-b", "refresh-a", NOW)


async def test_what_is_broken_or_over_is_not_renewed(database: Database):
    async with database.transaction() as tx:
        broken, over = await connection(tx), await connection(tx, name="b")
        without = await connection(tx, name="c", refresh=False)
        connections.broke(broken, reason="invalid_grant")
        connections.end(over, now=NOW)
        await tx.flush()
        assert await connections.to_renew(tx, now=NOW + timedelta(days=1)) == []
        for made in (broken, over, without):
            assert await connections.claim(tx, made.id, owner="one", now=NOW, lasts=CLAIM) is None
        assert [one.id for one in await connections.live(tx, environment=Environment.PRODUCTION)] == [
            broken.id,
            without.id,
        ]
