"""Buckets in rows: how many may go when, whoever takes, whatever the clock does; and whose turn it is among lanes."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from storage import ahead, lanes, outbox, pacing, timing
from storage.database import Database
from storage.models import Outbox, WorkState
from storage.outbox import Kind
from storage.pacing import Rate

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = "channel:C0LEADS"
RATE = Rate(interval=SECOND, burst=3)


async def take(database, *, after=0.0, rate=RATE, key=KEY):
    async with database.transaction() as tx:
        return await pacing.take(tx, key, rate, now=NOW + timedelta(seconds=after)) is not None


async def how_many(database, after):
    found = 0
    while await take(database, after=after):
        found += 1
    return found


async def free_after(database, after=0.0):
    """The seconds after the beginning at which one may go."""
    async with database.transaction() as tx:
        return (await pacing.next_at(tx, KEY, now=NOW + timedelta(seconds=after)) - NOW).total_seconds()


async def test_some_go_at_once_then_one_each_interval_and_what_goes_late_is_made_up_for(database):
    assert await free_after(database) == 0
    assert await how_many(database, 0) == 3
    assert await free_after(database) == 1
    assert [await how_many(database, after) for after in (0.9, 1.0, 1.4, 2.5, 3.0)] == [0, 1, 0, 1, 1]
    assert await how_many(database, 100) == 3, "it holds no more, however long nothing went"


async def test_in_any_span_of_time_no_more_go_than_it_is_long_and_the_burst(database):
    chance, at, gone = random.Random(7), 0.0, []  # noqa: S311 -- the same takes each time
    for _ in range(60):
        at += chance.choice([0.0, 0.1, 0.4, 1.0, 2.3])
        if await take(database, after=at):
            gone.append(at)
    assert len(gone) > 20
    for first, begin in enumerate(gone):
        for count, end in enumerate(gone[first:], 1):
            assert count <= end - begin + RATE.burst + 0.001


async def test_each_bucket_is_its_own(database):
    assert await how_many(database, 0) == 3
    assert await take(database, key="method:chat.update", rate=Rate(interval=SECOND))
    assert not await take(database, key="method:chat.update", rate=Rate(interval=SECOND))


async def test_a_clock_that_is_set_back_keeps_nobody_waiting(database):
    assert await how_many(database, 3600) == 3
    assert await free_after(database) == 0
    assert await how_many(database, 0) == 3
    assert await how_many(database, 1) == 1


async def test_who_is_asked_to_wait_waits_whatever_the_bucket_holds(database):
    async with database.transaction() as tx:
        await pacing.quiet(tx, KEY, NOW + 30 * SECOND)
        await pacing.quiet(tx, KEY, NOW + 20 * SECOND)
    assert not await take(database, after=29)
    assert await free_after(database) == 30
    assert await how_many(database, 30) == 3


async def test_who_goes_on_in_debt_keeps_the_others_waiting_for_longer_and_no_more_than_a_minute(database):
    async def on(after=0.0):
        async with database.transaction() as tx:
            now = NOW + timedelta(seconds=after)
            return await pacing.take(tx, KEY, RATE, now=now, in_debt=True) is not None

    assert [await on() for _ in range(5)] == [True] * 5
    assert await free_after(database) == 3
    assert await how_many(database, 2.9) == 0
    assert [await on() for _ in range(90)] == [True] * 90
    assert await free_after(database) == 60
    assert await how_many(database, 100) == 3
    async with database.transaction() as tx:
        await pacing.quiet(tx, KEY, NOW + 130 * SECOND)
    assert [await on(129), await on(130)] == [False, True]


async def test_of_two_replicas_that_take_the_last_one_gets_it(database):
    other = Database(database.url.render_as_string(hide_password=False))
    found = await asyncio.gather(*(take(one) for one in (database, other) * 5))
    assert found.count(True) == 3
    await other.close()


async def test_who_is_rolled_back_has_taken_nothing(database):
    async def take_and_fail():
        async with database.transaction() as tx:
            assert await pacing.take(tx, KEY, RATE, now=NOW) is not None
            raise LookupError

    with pytest.raises(LookupError):
        await take_and_fail()
    assert await how_many(database, 0) == 3


async def add(database, *, after=0.0, kind=Kind.POST_MESSAGE, channel="C0LEADS", **values):
    async with database.transaction() as tx:
        now = NOW + timedelta(seconds=after)
        return (await outbox.enqueue(tx, kind, now=now, channel=channel, **values)).id


async def order(database, *, after=1.0):
    """The ids in the order in which they go, each settled before the next."""
    found, now = [], NOW + timedelta(seconds=after)
    while True:
        async with database.transaction() as tx:
            entry = await outbox.next_up(tx, now=now)
            if entry is None:
                return found
            entry = await outbox.begin(tx, entry, now=now, owner="us")
            await outbox.settle(tx, entry, state=WorkState.DONE, now=now)
            found.append(entry.id)


async def test_lanes_take_turns_and_new_leads_go_first(database):
    a = [await add(database, lane="slack:1") for _ in range(4)]
    b = [await add(database, lane="slack:2", after=0.5) for _ in range(2)]
    alone = await add(database, after=0.7)
    new = await add(database, lane="slack:3", kind=Kind.POST_LEAD, priority=outbox.FIRST, after=1.0)
    assert await order(database) == [new, a[0], b[0], alone, a[1], b[1], a[2], a[3]]


async def test_who_has_much_to_say_is_not_put_off_for_ever(database):
    """What came a minute later does not overtake the second message, nor what came two minutes later the third."""
    a = [await add(database, lane="slack:1") for _ in range(3)]
    later = [await add(database, lane=f"slack:{number}", after=number) for number in (59, 61, 119, 121)]
    assert await order(database, after=200) == [a[0], later[0], a[1], later[1], later[2], a[2], later[3]]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_what_the_version_before_writes_beside_this_one_has_its_turn(database):
    """It knows nothing of turns; on SQLite there is one process, and what has none comes first."""
    first = await add(database, lane="slack:1")
    of_before = ", ".join(one.name for one in Outbox.__table__.c if one.name not in ("id", "delivery_id", "turn_at"))
    copy = text(f"INSERT INTO outbox (delivery_id, {of_before}) SELECT 'b', {of_before} FROM outbox RETURNING id")
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE outbox SET lane = 'slack:2'"))
        old = (await tx.execute(copy)).scalar_one()
        await tx.execute(text(f"UPDATE outbox SET lane = 'slack:1' WHERE id = {first}"))
    in_time = 10 * 365 * 24 * 3600
    later = await add(database, lane="slack:3", after=in_time)
    assert await order(database, after=in_time) == [first, old, later]


async def test_updates_of_cards_do_not_use_up_the_posts_of_their_channel_nor_wait_for_them(database):
    update = await add(database, kind=Kind.UPDATE_CARD, lane="slack:1")
    post = await add(database, lane="slack:2")
    assert await how_many(database, 1) == 3
    assert await order(database) == [update]
    assert await order(database, after=2) == [post]


async def test_in_a_held_channel_an_update_waits_for_the_trial_too(database):
    update = await add(database, kind=Kind.UPDATE_CARD, lane="slack:1")
    async with database.transaction() as tx:
        await lanes.quiet(tx, "C0LEADS", NOW + 10 * SECOND, held=True)
    assert await order(database) == []
    async with database.transaction() as tx:
        assert await timing.next_due(tx, now=NOW + SECOND) == NOW + 10 * SECOND
        assert await lanes.try_held(tx, "C0LEADS", outcome_by=NOW + 70 * SECOND)
    assert await order(database, after=69) == []
    assert await order(database, after=70) == [update]


async def test_when_the_workspace_may_not_be_posted_to_nobody_posts_and_all_else_goes(database):
    post, mark = await add(database), await add(database, kind=Kind.SET_MARK, channel=None)
    async with database.transaction() as tx:
        await pacing.take(tx, lanes.ALL_POSTS, Rate(interval=60 * SECOND), now=NOW)
    assert await order(database) == [mark]
    async with database.transaction() as tx:
        assert await timing.next_due(tx, now=NOW + SECOND) == NOW + 60 * SECOND
    assert await order(database, after=60) == [post]


async def test_what_a_clock_that_ran_ahead_had_dated_does_not_lose_its_turn_once_it_is_right(database):
    behind = await add(database, lane="slack:1", after=3600)
    async with database.transaction() as tx:
        await ahead.mend(tx, now=NOW)
    later = await add(database, lane="slack:2", after=1)
    assert await order(database) == [behind, later]
