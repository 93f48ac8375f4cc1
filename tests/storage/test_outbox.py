"""Entries of the outbox: what goes when, and what becomes of it, on both databases."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from storage import lanes, outbox, timing, upkeep
from storage.database import Database
from storage.entries import ClaimLost
from storage.models import Outbox, WorkState
from storage.outbox import Kind

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
LATER = NOW + timedelta(minutes=5)


async def add(database, *, now=NOW, kind=Kind.POST_MESSAGE, **values):
    async with database.transaction() as tx:
        return (await outbox.enqueue(tx, kind, now=now, **values)).id


async def claim(database, *, now=NOW, owner="us"):
    async with database.transaction() as tx:
        entry = await outbox.next_up(tx, now=now)
        if entry is not None:
            return await outbox.begin(tx, entry, now=now, owner=owner)
        return entry


async def claimed_ids(database, *, now=NOW):
    """The ids that can be claimed one after the other without settling any."""
    found = []
    while (entry := await claim(database, now=now)) is not None:
        found.append(entry.id)
    return found


async def do(database, work, *args, **kwargs):
    async with database.transaction() as tx:
        return await work(tx, *args, **kwargs)


async def row(database, entry_id):
    async with database.reading() as tx:
        return (await tx.execute(select(Outbox).where(col(Outbox.id) == entry_id))).scalar_one()


async def test_the_oldest_of_the_most_urgent_goes_first(database):
    last, second, third = [await add(database, priority=one) for one in (2, 1, 1)]
    first = await add(database, priority=outbox.FIRST)
    assert await claimed_ids(database) == [first, second, third, last]


async def test_within_a_lane_one_goes_after_the_other_and_lanes_do_not_wait_for_each_other(database):
    first, second, third = [await add(database, lane="slack:1") for _ in range(3)]
    other, free = await add(database, lane="slack:2"), await add(database)
    assert await claimed_ids(database) == [first, other, free]
    await do(database, outbox.settle, await row(database, first), state=WorkState.DONE, now=NOW)
    assert await claimed_ids(database) == [second]
    await do(database, outbox.settle, await row(database, second), state=WorkState.DEAD, now=NOW)
    assert await claimed_ids(database) == [third]


async def test_in_a_lane_the_position_decides_and_then_the_id(database):
    third = await add(database, lane="thumbtack:1", position="1756730000.000300")
    first = await add(database, lane="thumbtack:1", position="1756730000.000100")
    fourth = await add(database, lane="thumbtack:1", position="1756730000.000300")
    second = await add(database, lane="thumbtack:1", position="1756730000.000200")
    order = []
    while entry := await claim(database):
        order.append(entry.id)
        await do(database, outbox.settle, entry, state=WorkState.DONE, now=NOW)
    assert order == [first, second, third, fourth]


async def test_what_is_put_in_front_waits_for_what_may_be_under_way_and_that_waits_for_nobody(database):
    """A reply's event may come late, while a later reply's outcome is unknown: neither may wait for the other for ever."""
    later = await add(database, lane="thumbtack:1", position="2")
    under_way = await claim(database)
    earlier = await add(database, lane="thumbtack:1", position="1")
    assert await claim(database) is None
    await do(database, outbox.requeue, under_way, due_at=NOW, reason="lost", maybe_done=True)
    again = await claim(database)
    assert again.id == later
    await do(database, outbox.settle, again, state=WorkState.DONE, now=NOW)
    assert (await claim(database)).id == earlier


async def test_a_parked_entry_holds_its_lane_until_it_is_released_or_cancelled(database):
    first, second = await add(database, lane="thumbtack:1"), await add(database, lane="thumbtack:1")
    await do(database, outbox.park, await row(database, first), reason="overdue")
    assert await claim(database, now=LATER) is None
    await do(database, outbox.release, first, now=NOW)
    entry = await claim(database)
    assert entry.id == first
    await do(database, outbox.park, entry, reason="overdue")
    await do(database, outbox.cancel, first, now=NOW)
    assert (await claim(database)).id == second


async def test_what_has_begun_can_be_neither_released_nor_cancelled(database):
    entry_id = await add(database)
    await claim(database)
    await do(database, outbox.cancel, entry_id, now=NOW)
    await do(database, outbox.release, entry_id, now=NOW)
    found = await row(database, entry_id)
    assert (found.state, found.settled_at) == (WorkState.SENDING, None)


async def test_an_entry_waits_for_its_time(database):
    entry_id = await add(database, due_at=SOON)
    assert await claim(database, now=SOON - timedelta(microseconds=1)) is None
    assert (await claim(database, now=SOON)).id == entry_id


async def test_a_claim_runs_out_and_what_its_holder_found_out_then_is_not_written(database):
    await add(database, lane="slack:1")
    first = await claim(database, owner="replica one")
    almost = NOW + outbox.CLAIM_FOR - timedelta(microseconds=1)
    assert await claim(database, now=almost) is None
    second = await claim(database, now=NOW + outbox.CLAIM_FOR, owner="replica two")
    assert (second.id, second.attempt, second.state) == (first.id, 2, WorkState.SENDING)
    assert second.sending_at == NOW, "it is looked for from the first attempt on"
    for late in (
        lambda tx: outbox.settle(tx, first, state=WorkState.DONE, now=NOW),
        lambda tx: outbox.requeue(tx, first, due_at=NOW, reason="later"),
        lambda tx: outbox.replace(tx, first, payload={}, now=NOW),
        lambda tx: outbox.park(tx, first, reason="overdue"),
    ):
        with pytest.raises(ClaimLost):
            await do(database, late)
    await do(database, outbox.settle, second, state=WorkState.DONE, now=NOW)
    assert (await row(database, first.id)).settled_at == NOW


async def test_the_same_process_does_not_take_an_old_claim_of_its_own_for_the_new_one(database):
    await add(database)
    first = await claim(database)
    second = await claim(database, now=LATER)
    with pytest.raises(ClaimLost):
        await do(database, outbox.settle, first, state=WorkState.DONE, now=LATER)
    await do(database, outbox.settle, second, state=WorkState.DONE, now=LATER)


async def test_what_goes_on_with_something_else_to_say_keeps_its_place_as_another_delivery(database):
    first, second = await add(database, lane="slack:1"), await add(database, lane="slack:1")
    entry = await claim(database)
    await do(database, outbox.settle, entry, state=WorkState.DONE, now=NOW)
    await do(database, outbox.replace, entry, payload={"part": 1}, now=NOW)
    again = await claim(database)
    assert (again.id, again.payload, again.attempt) == (first, {"part": 1}, 1)
    assert (await row(database, first)).settled_at is None
    assert again.delivery_id != entry.delivery_id
    await do(database, outbox.settle, again, state=WorkState.DONE, now=NOW)
    assert (await claim(database)).id == second


async def test_an_outcome_that_is_not_known_is_remembered(database):
    entry_id = await add(database)
    await do(database, outbox.requeue, await claim(database), due_at=SOON, reason="lost", maybe_done=True)
    found = await row(database, entry_id)
    assert (found.state, found.due_at, found.claimed_until) == (WorkState.SENDING, SOON, None)
    await do(database, outbox.requeue, await claim(database, now=SOON), due_at=SOON, reason="ratelimited")
    assert (await row(database, entry_id)).state == WorkState.PENDING


async def test_the_pace_of_a_channel_is_kept_and_no_other_channel_waits_for_it(database):
    first, second = await add(database, channel="C0LEADS"), await add(database, channel="C0LEADS")
    other = await add(database, channel="C0OTHER")
    assert (await claim(database)).id == first
    await do(database, lanes.quiet, "C0LEADS", SOON)
    await do(database, lanes.quiet, "C0LEADS", NOW)  # what is later stands
    assert await claimed_ids(database) == [other]
    assert await claimed_ids(database, now=SOON) == [second]


async def test_it_is_known_when_something_is_due_next(database):
    async def due(now=NOW):
        return await do(database, timing.next_due, now=now)

    assert await due() is None
    await add(database, due_at=LATER)
    assert await due() == LATER
    ready = await add(database, channel="C0LEADS")
    assert await due() == LATER, "what may go now needs no waiting for"
    await do(database, lanes.quiet, "C0LEADS", SOON)
    assert await due() == SOON
    await claim(database, now=SOON)
    assert await due(SOON) == SOON + outbox.CLAIM_FOR
    await do(database, outbox.park, await row(database, ready), reason="overdue")
    assert await due(SOON) == LATER


async def test_an_entry_that_waits_is_found_and_held_for_whoever_relies_on_it(database):
    """The dispatcher must not say the old state while we write the new one and rely on the entry that waits."""
    lane, other = outbox.slack_lane(1), Database(database.url.render_as_string(hide_password=False))
    await add(database, kind=Kind.UPDATE_CARD, lane=lane)
    async with database.transaction() as tx:
        assert await outbox.pending_of(tx, lane, Kind.UPDATE_CARD) is not None
        assert await outbox.pending_of(tx, lane, Kind.POST_LEAD) is None
        if not database.is_sqlite:  # there, nobody else is in a transaction now
            assert await claim(other) is None
    await other.close()
    assert await claim(database) is not None
    async with database.transaction() as tx:
        assert await outbox.pending_of(tx, lane, Kind.UPDATE_CARD) is None, "it has begun"


async def test_what_died_can_be_tried_again_and_is_looked_for_where_it_may_be_out(database):
    untried, tried = await add(database), await add(database)
    assert not await do(database, upkeep.retry, 12345, now=NOW)
    await do(database, outbox.settle, await row(database, untried), state=WorkState.DEAD, now=NOW)
    await do(database, outbox.settle, await claim(database), state=WorkState.DEAD, now=NOW, reason="refused")
    for entry_id in (untried, tried):
        assert await do(database, upkeep.retry, entry_id, now=SOON)
    assert (await row(database, untried)).state == WorkState.PENDING
    found = await row(database, tried)
    assert (found.state, found.attempt, found.reason, found.settled_at) == (WorkState.SENDING, 0, None, None)
    assert await claimed_ids(database, now=SOON) == [untried, tried]
    assert not await do(database, upkeep.retry, tried, now=SOON), "it is under way"


async def test_what_was_said_long_ago_is_forgotten_and_what_died_is_not(database):
    for state in (WorkState.DONE, WorkState.CANCELLED, WorkState.DEAD):
        await add(database)
        await do(database, outbox.settle, await claim(database), state=state, now=NOW)
    recent = await add(database)
    await do(database, outbox.settle, await claim(database), state=WorkState.DONE, now=SOON)
    waits = await add(database)
    old = await do(database, upkeep.old, before=SOON, after=0)
    assert await do(database, upkeep.prune, [*old, waits], before=SOON) == len(old) == 2
    async with database.reading() as tx:
        left = (await tx.execute(select(Outbox).order_by(col(Outbox.id)))).scalars().all()
    assert [one.id for one in left if one.state != WorkState.DEAD] == [recent, waits]
    assert [one.state for one in left].count(WorkState.DEAD) == 1
    assert [one.state for one in await do(database, upkeep.listing)] == [WorkState.DEAD, WorkState.PENDING]


async def test_several_claimers_never_share_an_entry_and_keep_the_order_of_every_lane(database):
    """Each with connections of its own, as replicas have."""
    lanes_of = [f"slack:{number % 7}" for number in range(60)]
    ids = [await add(database, lane=lane) for lane in lanes_of]
    claimers = [Database(database.url.render_as_string(hide_password=False)) for _ in range(5)]
    said: dict[int, tuple[int, int]] = {}
    under_way: dict[str, int] = {}
    moment = iter(range(10_000))

    async def replica(number, mine):
        while len(said) < len(ids):
            entry = await claim(mine, owner=f"replica {number}")
            if entry is None:
                await asyncio.sleep(0)
                continue
            assert entry.lane not in under_way
            assert entry.id not in said
            under_way[entry.lane], begun = entry.id, next(moment)
            for _ in range(number):
                await asyncio.sleep(0)
            del under_way[entry.lane]
            said[entry.id] = begun, next(moment)
            await do(mine, outbox.settle, entry, state=WorkState.DONE, now=NOW)

    async with asyncio.timeout(60):
        await asyncio.gather(*(replica(number, one) for number, one in enumerate(claimers)))
    assert sorted(said) == ids
    for lane in set(lanes_of):
        mine = [said[entry_id] for entry_id, of in zip(ids, lanes_of, strict=True) if of == lane]
        assert all(before[1] < after[0] for before, after in itertools.pairwise(mine))
    for one in claimers:
        await one.close()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_claimers_do_not_begin_two_of_a_lane_when_one_is_put_in_front_meanwhile(database):
    """SQLite has one writer at a time."""
    other = Database(database.url.render_as_string(hide_password=False))
    later = await add(database, lane="thumbtack:1", position="2")
    async with database.transaction() as tx:
        entry = await outbox.next_up(tx, now=NOW)
        assert entry.id == later
        entry = await outbox.begin(tx, entry, now=NOW, owner="us")
        await tx.flush()
        waiting = asyncio.create_task(add(other, lane="thumbtack:1", position="1"))
        assert not await _ends(waiting), "whoever adds to the lane waits until the claim stands"
    earlier = await waiting
    assert await claim(other) is None
    await do(database, outbox.settle, entry, state=WorkState.DONE, now=NOW)
    assert (await claim(other)).id == earlier
    await other.close()


async def _ends(task):
    done, _ = await asyncio.wait([task], timeout=0.2)
    return bool(done)


@pytest.fixture
def woken(database: Database) -> list[str]:
    """What was woken by commits."""
    seen: list[str] = []
    for topic in (outbox.TOPIC, outbox.SETTLED):
        database.on_commit(topic, lambda topic=topic: seen.append(topic))
    return seen


async def settle_next(database, woken):
    entry = await claim(database)
    woken.clear()
    await do(database, outbox.settle, entry, state=WorkState.DONE, now=NOW)
    return set(woken)


async def test_the_dispatcher_is_woken_by_what_is_settled_only_where_its_lane_goes_on(database, woken):
    for lane in ("slack:1", "slack:1", None):
        await add(database, lane=lane)
    assert await settle_next(database, woken) == {outbox.TOPIC, outbox.SETTLED}, "the second of the lane can go now"
    assert await settle_next(database, woken) == {outbox.SETTLED}
    assert await settle_next(database, woken) == {outbox.SETTLED}
    assert await claim(database) is None


async def test_what_is_tried_again_or_replaced_wakes_the_dispatcher(database, woken):
    await add(database)
    entry = await claim(database)
    woken.clear()
    await do(database, outbox.requeue, entry, due_at=NOW, reason="slack_unreachable")
    assert woken == [outbox.TOPIC]
    entry = await claim(database)
    woken.clear()
    await do(database, outbox.replace, entry, payload={"part": 1}, now=NOW)
    assert woken == [outbox.TOPIC]


async def test_after_a_claim_one_looks_again_at_once_where_something_else_is_due(database):
    for lane in ("slack:1", "slack:2"):
        await add(database, lane=lane)
    await add(database, due_at=LATER)
    await claim(database)
    assert await do(database, timing.after_this, now=NOW) == NOW
    await claim(database)
    assert await do(database, timing.after_this, now=NOW) == NOW + outbox.CLAIM_FOR, "where a claim may run out"
    assert await do(database, timing.after_this, now=NOW + outbox.CLAIM_FOR) == NOW + outbox.CLAIM_FOR


async def test_after_a_claim_what_is_parked_is_not_waited_for(database):
    await add(database)
    entry = await claim(database)
    await do(database, outbox.park, entry, reason="a_person_chooses")
    assert await do(database, timing.after_this, now=NOW) is None
