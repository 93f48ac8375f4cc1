"""When a business is silent far beyond its habit, and when that is nobody's business."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import silence
from bot.hours import Hours
from bot.silence import Silence

NOW = datetime(2026, 9, 1, 18, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")


def every(apart: timedelta, count: int = 20, *, until: datetime = NOW) -> list[datetime]:
    """So many leads, the last one then."""
    return [until - apart * back for back in reversed(range(count))]


def after(passed: timedelta, times: list[datetime]) -> Silence | None:
    """What is thought so long after the last lead."""
    return silence.of(times, since=times[-1], now=times[-1] + passed)


def test_three_times_the_usual_pause_is_too_long():
    times = every(DAY)
    assert after(3 * DAY, times) is None
    assert after(3 * DAY + HOUR, times) == Silence(since=NOW, usual=DAY, longest=DAY)


def test_of_few_leads_nobody_can_tell():
    assert after(30 * DAY, every(DAY, 9)) is None
    assert after(30 * DAY, every(DAY, 10)) is not None


def test_however_many_leads_come_a_day_passes():
    assert after(DAY, every(HOUR / 4, 100)) is None
    assert after(DAY + HOUR, every(HOUR / 4, 100)) is not None


def test_nights_and_weekends_are_part_of_the_habit():
    workdays = [at for at in every(DAY, 40) if at.weekday() < 5]
    friday = workdays[: max(place for place, at in enumerate(workdays) if at.weekday() == 4) + 1]
    assert after(4 * DAY, friday) is None
    assert after(10 * DAY, friday) is not None


def test_one_outage_or_holiday_is_no_habit():
    once = [*every(DAY, 10, until=NOW - 30 * DAY), *every(DAY, 10)]
    twice = [*every(DAY, 10, until=NOW - 60 * DAY), *every(DAY, 10, until=NOW - 30 * DAY), *every(DAY, 10)]
    assert after(5 * DAY, once) is not None
    assert after(20 * DAY, twice) is None


def test_what_was_long_before_the_last_lead_is_no_habit_any_more():
    grown = [*every(10 * DAY, 10, until=NOW - 130 * DAY), *every(DAY, 20)]
    assert after(4 * DAY, grown) is not None


def test_what_else_was_heard_breaks_the_silence():
    assert silence.of(every(DAY), since=NOW + 2 * DAY, now=NOW + 4 * DAY) is None


def test_what_is_silent_for_months_surprises_nobody():
    assert after(91 * DAY, every(DAY)) is None


def test_leads_that_come_by_chance_are_seldom_thought_silent():
    chance = random.Random(5)  # noqa: S311 -- the same each time
    alarms = 0
    for _ in range(300):
        times = [NOW]
        for _ in range(60):
            times.append(times[-1] + DAY * chance.expovariate(1.0))
        pause = DAY * chance.expovariate(1.0)
        alarms += after(pause, times) is not None
    assert alarms <= 3


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1, max_size=120), st.timedeltas(min_value=timedelta()))
def test_it_never_breaks_and_never_tells_of_a_short_one(times, passed):
    times.sort()
    now = min(times[-1], datetime.max.replace(tzinfo=UTC) - timedelta(days=400)) + min(passed, timedelta(days=399))
    found = silence.of(times, since=times[-1], now=now)
    assert found is None or (now - found.since > DAY and len(times) >= silence.FEWEST)


@pytest.mark.parametrize(("hour", "told"), [(7, False), (8, True), (19, True), (20, False), (3, False)])
def test_by_day_alone(hour, told):
    at = datetime(2026, 9, 1, hour, 30, tzinfo=CHICAGO)
    assert silence.may_be_told(at, hours=Hours.of(None, CHICAGO), zone=CHICAGO) is told


def test_in_the_hours_of_the_business():
    hours = Hours.of({"tue": [["22:00", "23:00"]]}, CHICAGO)
    assert silence.may_be_told(datetime(2026, 9, 1, 22, 30, tzinfo=CHICAGO), hours=hours, zone=CHICAGO)
    assert not silence.may_be_told(datetime(2026, 9, 1, 12, 30, tzinfo=CHICAGO), hours=hours, zone=CHICAGO)
