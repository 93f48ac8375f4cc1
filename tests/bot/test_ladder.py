"""Which reminder is due when: in open hours, none twice, and after a while away only the last that was missed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import ladder
from bot.hours import DAYS, Hours
from bot.ladder import Say, Wait

STEPS = (5, 15, 60)
ALWAYS = Hours.of(None, UTC)
OFFICE = Hours.of({day: [["08:00", "17:30"]] for day in DAYS[:5]}, ZoneInfo("UTC"))
MONDAY = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def turn(after: float, *, following: int = 0, steps=STEPS, hours: Hours = ALWAYS, since: datetime = MONDAY):
    now = since + timedelta(minutes=after)
    return ladder.turn(steps, following=following, since=since, now=now, hours=hours)


def at(minutes: float, since: datetime = MONDAY) -> Wait:
    return Wait(until=since + timedelta(minutes=minutes))


def test_each_step_when_its_time_has_come():
    assert turn(1) == at(5)
    assert turn(5) == Say(step=0)
    assert turn(5, following=1) == at(15)
    assert turn(15, following=1) == Say(step=1)
    assert turn(60, following=2) == Say(step=2)
    assert turn(60, following=3) is None


def test_of_those_that_were_missed_only_the_last_is_said():
    assert turn(20) == Say(step=1)
    assert turn(500) == Say(step=2)


def test_a_ladder_that_got_shorter_meanwhile():
    assert turn(20, following=2, steps=(5, 15)) is None
    assert turn(20, following=1, steps=(10,)) is None
    assert turn(20, steps=()) is None


NIGHT, EVENING, FRIDAY = (datetime(2026, 6, day, hour, 20, tzinfo=UTC) for day, hour in ((1, 2), (1, 17), (5, 17)))


@pytest.mark.parametrize(
    ("since", "after", "means"),
    [
        (NIGHT, 30, at(5 * 60 + 45, NIGHT)),  # five past eight
        (EVENING, 5, Say(step=0)),
        (EVENING, 60, Wait(until=datetime(2026, 6, 2, 8, 0, tzinfo=UTC))),  # missed
        (FRIDAY, 62 * 60 + 45, Say(step=1)),  # Monday at five past eight
    ],
)
def test_nothing_is_said_while_it_is_closed(since, after, means):
    assert turn(after, since=since, hours=OFFICE) == means


def test_who_never_opens_is_not_reminded():
    assert turn(100, hours=Hours.of({}, UTC)) is None


@given(
    st.lists(st.integers(1, 10_080), min_size=1, max_size=3, unique=True).map(sorted),
    st.integers(0, 20_000),
    st.lists(st.integers(0, 5_000), max_size=12),
    st.sampled_from([ALWAYS, OFFICE]),
)
def test_however_late_one_looks_each_step_is_said_once_at_most_and_the_last_one_is(steps, start, away, hours):
    since = MONDAY + timedelta(minutes=start)
    now, following, told = since, 0, []
    for minutes in [*away, *[0] * 10]:
        found = ladder.turn(steps, following=following, since=since, now=now, hours=hours)
        if found is None:
            break
        if isinstance(found, Wait):
            assert found.until > now
            now = found.until + timedelta(minutes=minutes)
            continue
        assert hours.is_open(now)
        assert now >= since + timedelta(minutes=steps[found.step])
        told.append(found.step)
        following = found.step + 1
    assert told == sorted(set(told))
    assert len(away) > 6 or told[-1] == len(steps) - 1
