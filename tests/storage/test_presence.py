"""Whether somebody was there, and what Slack could not tell, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from storage import presence
from storage.database import Database
from storage.presence import Absence, Missed

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


async def beat(database, now, *, lived=60 * MINUTE):
    async with database.transaction() as tx:
        return await presence.beat(tx, now=now, lived=lived)


async def start(database, now):
    """A process starts; whether it came back from an absence then, as the program does it."""
    async with database.transaction() as tx:
        away = await presence.beat(tx, now=now, lived=None)
        if away is not None:
            await presence.came_back(tx, now=now)
        return away


async def noted(database, *, since, at):
    async with database.transaction() as tx:
        await presence.note(tx, Missed(since=since, at=at))


async def due(database, now, **how):
    async with database.transaction() as tx:
        return await presence.due(tx, now=now, **how)


async def test_an_absence_is_more_than_five_minutes_and_is_told_once(database):
    assert await beat(database, NOW) is None  # nobody knows what was before
    assert await beat(database, NOW + 5 * MINUTE) is None
    assert await beat(database, NOW + 11 * MINUTE) == Absence(since=NOW + 5 * MINUTE, until=NOW + 11 * MINUTE)
    assert await beat(database, NOW + 11 * MINUTE) is None
    async with database.transaction() as tx:
        await presence.came_back(tx, now=NOW + 11 * MINUTE)
    async with database.reading() as tx:
        row = await presence.find(tx)
    assert (row.alive_at, row.back_at) == (NOW + 11 * MINUTE, NOW + 11 * MINUTE)


async def test_a_clock_that_was_set_back_is_no_absence(database):
    await beat(database, NOW)
    assert await beat(database, NOW - 60 * MINUTE) is None
    assert await beat(database, NOW - 59 * MINUTE) is None


async def test_of_several_that_come_back_at_once_one_is_told(database):
    await beat(database, NOW)
    replicas = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    told = await asyncio.gather(*(beat(one, NOW + 60 * MINUTE) for one in replicas))
    assert len([one for one in told if one is not None]) == 1
    for one in replicas:
        await one.close()


async def test_what_was_missed_is_due_once_slack_has_given_up(database):
    await beat(database, NOW)
    assert await due(database, NOW) is None
    await noted(database, since=NOW - 10 * MINUTE, at=NOW)
    await noted(database, since=NOW - 8 * MINUTE, at=NOW + MINUTE)
    assert await due(database, NOW + 6 * MINUTE) is None
    assert await due(database, NOW + 7 * MINUTE) == NOW - 10 * MINUTE
    assert await due(database, NOW + 8 * MINUTE) is None


async def test_where_one_is_missed_after_the_other_it_is_not_waited_for_ever(database):
    await beat(database, NOW)
    for minute in range(10):
        await noted(database, since=NOW + (minute - 10) * MINUTE, at=NOW + minute * MINUTE)
    assert await due(database, NOW + 9 * MINUTE) is None
    assert await due(database, NOW + 9 * MINUTE, at_once=True) == NOW - 10 * MINUTE
    await noted(database, since=NOW, at=NOW + 20 * MINUTE)
    assert await due(database, NOW + 20 * MINUTE) == NOW


async def test_starts_after_which_nobody_stays_are_an_absence_every_few_minutes(database):
    await beat(database, NOW)
    found = [await start(database, NOW + second * SECOND) for second in range(50, 3600, 50)]
    absences = [one for one in found if one is not None]
    assert {(one.since, one.on_and_off) for one in absences} == {(NOW, True)}
    until = [one.until for one in absences]
    assert all(after - before <= 6 * MINUTE for before, after in pairwise([NOW, *until, NOW + 60 * MINUTE]))
    assert len(until) == 10


async def test_lives_of_a_few_minutes_between_gaps_are_an_absence_too(database):
    await beat(database, NOW)
    assert await start(database, NOW + 4 * MINUTE) is None
    assert await beat(database, NOW + 5 * MINUTE, lived=MINUTE) is None
    again = NOW + 9 * MINUTE
    assert await start(database, again) == Absence(since=NOW, until=again, on_and_off=True)


async def test_after_a_real_absence_it_is_told_once_at_once_and_then_as_one(database):
    await beat(database, NOW)
    hour = NOW + 60 * MINUTE
    assert await start(database, hour) == Absence(since=NOW, until=hour)
    later = hour + 10 * MINUTE
    assert await start(database, later) == Absence(since=hour, until=later, on_and_off=True)


async def unsteady_since(database):
    async with database.reading() as tx:
        return (await presence.find(tx)).unsteady_since


async def test_one_absence_alone_is_not_a_time_in_which_nobody_stayed_for_long(database):
    await beat(database, NOW)
    assert await start(database, NOW + 8 * 60 * MINUTE) == Absence(since=NOW, until=NOW + 8 * 60 * MINUTE)
    assert await unsteady_since(database) == NOW + 8 * 60 * MINUTE


async def test_long_gaps_between_short_lives_are_told_apart_from_the_first_one_too(database):
    await beat(database, NOW)
    starts = [NOW + minutes * MINUTE for minutes in range(10, 50, 10)]
    found = [await start(database, at) for at in starts]
    assert [one.on_and_off for one in found] == [False, True, True, True]


async def test_what_an_older_version_did_not_look_after_does_not_count(database):
    """After a rollback that one writes down that it is there, and nothing else; days later the upgrade is made again."""
    await beat(database, NOW)
    await start(database, NOW + MINUTE)
    later = NOW + 3 * 24 * 60 * MINUTE
    async with database.transaction() as tx:
        (await presence.find(tx)).alive_at = later
    assert await start(database, later + MINUTE) is None
    assert await unsteady_since(database) == later


async def test_who_stayed_for_as_long_as_slack_tries_makes_it_steady(database):
    await beat(database, NOW)
    assert await start(database, NOW + MINUTE) is None
    assert await beat(database, NOW + 6 * MINUTE, lived=5 * MINUTE) is None
    assert await start(database, NOW + 7 * MINUTE) is None
    assert await start(database, NOW + 11 * MINUTE) is None


async def test_replicas_that_start_beside_one_that_stays_are_no_absence(database):
    for minute in range(30):
        assert await beat(database, NOW + minute * MINUTE) is None
        assert await start(database, NOW + (minute + 0.5) * MINUTE) is None
