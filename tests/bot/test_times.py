"""What people type after `for` and `until`, and which instant that is where they live."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import times
from bot.times import EXAMPLES, FARTHEST, Refusal

LOS_ANGELES, NEW_YORK = ZoneInfo("America/Los_Angeles"), ZoneInfo("America/New_York")
SATURDAY = datetime(2026, 11, 21, 18, 0, tzinfo=LOS_ANGELES)
ZONES = [
    LOS_ANGELES,
    NEW_YORK,
    UTC,
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Pacific/Apia"),
]


def local(text: str, *, now: datetime = SATURDAY, zone: ZoneInfo = LOS_ANGELES) -> str | Refusal:
    """The instant as that person's clock and calendar show it."""
    found = times.instant(text, now=now, zone=zone)
    return found if isinstance(found, Refusal) else found.astimezone(zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("for 90m", timedelta(minutes=90)),
        ("for 45 min", timedelta(minutes=45)),
        ("for 2h", timedelta(hours=2)),
        ("for 2hrs", timedelta(hours=2)),
        ("for 2h.", timedelta(hours=2)),
        ("FOR 2 Hours", timedelta(hours=2)),
        ("for 1h30m", timedelta(minutes=90)),
        ("for 1h30", timedelta(minutes=90)),
        ("for 1 h 30", timedelta(minutes=90)),
        ("for 1.5h", timedelta(minutes=90)),
        ("for an hour", timedelta(hours=1)),
        ("for half an hour", timedelta(minutes=30)),
        ("for a day", timedelta(days=1)),
        ("for 1 hour and 30 minutes", timedelta(minutes=90)),
        ("for 1 day, 2 hours", timedelta(hours=26)),
        ("for 3 days", timedelta(days=3)),
        ("for 2 weeks", timedelta(days=14)),
        ("for 366 days", timedelta(days=366)),
    ],
)
def test_lengths(text, after):
    assert times.instant(text, now=SATURDAY, zone=LOS_ANGELES) == SATURDAY + after


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("until 7am", "2026-11-22 07:00"),
        ("until 7 a.m.", "2026-11-22 07:00"),
        ("until 7pm", "2026-11-21 19:00"),
        ("until 12am", "2026-11-22 00:00"),
        ("until 12pm", "2026-11-22 12:00"),
        ("until 7:30", "2026-11-22 07:30"),
        ("until 19:00", "2026-11-21 19:00"),
        ("till 19:00", "2026-11-21 19:00"),
        ("until 18:00", "2026-11-22 18:00"),
        ("until noon", "2026-11-22 12:00"),
        ("until midnight", "2026-11-22 00:00"),
        ("until today 11pm", "2026-11-21 23:00"),
        ("until tomorrow", "2026-11-22 00:00"),
        ("until tomorrow 8am", "2026-11-22 08:00"),
        ("until tomorrow at 8am", "2026-11-22 08:00"),
        ("until 8am tomorrow", "2026-11-22 08:00"),
        ("until Mon", "2026-11-23 00:00"),
        ("until Monday 8:00", "2026-11-23 08:00"),
        ("until Thurs noon", "2026-11-26 12:00"),
        ("until Sat", "2026-11-28 00:00"),
        ("until Sat 17:00", "2026-11-28 17:00"),
        ("until Sat 19:00", "2026-11-21 19:00"),
        ("until Nov 30", "2026-11-30 00:00"),
        ("until November 30th, 8am", "2026-11-30 08:00"),
        ("until 30 Nov 2026 8:00", "2026-11-30 08:00"),
        ("until 11/30 8am", "2026-11-30 08:00"),
        ("until 11/30/2026", "2026-11-30 00:00"),
        ("until 2026-12-01 08:00", "2026-12-01 08:00"),
        ("until Jan 5", "2027-01-05 00:00"),
    ],
)
def test_moments(text, shows):
    assert local(text) == shows


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("for 0m", Refusal.PAST),
        ("until today 8am", Refusal.PAST),
        ("until today", Refusal.PAST),
        ("until Nov 20", Refusal.PAST),
        ("until 2026-11-21 17:59", Refusal.PAST),
        ("until 1999-01-01", Refusal.PAST),
        ("for 400 days", Refusal.TOO_FAR),
        ("for 999999999 weeks", Refusal.TOO_FAR),
        ("for 999999999h", Refusal.TOO_FAR),
        ("until 2027-12-01", Refusal.TOO_FAR),
        ("until 9999-12-31 23:59", Refusal.TOO_FAR),
        ("for", Refusal.UNREADABLE),
        ("until", Refusal.UNREADABLE),
        ("for 5", Refusal.UNREADABLE),
        ("for -2h", Refusal.UNREADABLE),
        ("for 2x", Refusal.UNREADABLE),
        ("for ages", Refusal.UNREADABLE),
        ("for 2h x", Refusal.UNREADABLE),
        ("for ٢h", Refusal.UNREADABLE),
        ("for 2h" + " " * 50 + "x" * 100, Refusal.UNREADABLE),
        ("until 7", Refusal.UNREADABLE),
        ("until 13pm", Refusal.UNREADABLE),
        ("until 0am", Refusal.UNREADABLE),
        ("until 24:00", Refusal.UNREADABLE),
        ("until 7:60", Refusal.UNREADABLE),
        ("until 2h", Refusal.UNREADABLE),
        ("until Feb 30", Refusal.UNREADABLE),
        ("until Feb 29", Refusal.UNREADABLE),  # neither this year nor the next has one
        ("until 13/1", Refusal.UNREADABLE),
        ("until 0000-01-01", Refusal.UNREADABLE),
        ("until the cows come home", Refusal.UNREADABLE),
        ("", Refusal.UNREADABLE),
        ("2h", Refusal.UNREADABLE),
    ],
)
def test_what_is_no_instant_ahead(text, refusal):
    assert local(text) == refusal


def test_the_examples_that_people_are_shown_can_be_read():
    assert [one for one in EXAMPLES if not isinstance(times.instant(one, now=SATURDAY, zone=UTC), datetime)] == []


# Daylight saving: in Los Angeles it began on 2026-03-08 at 2:00 (then 3:00), and ended on 2026-11-01 at 2:00 (then 1:00)

BEFORE_SPRING = datetime(2026, 3, 7, 22, 0, tzinfo=LOS_ANGELES)
BEFORE_AUTUMN = datetime(2026, 10, 31, 22, 0, tzinfo=LOS_ANGELES)


def test_a_time_that_is_skipped_is_as_long_after_the_last_that_there_is():
    assert times.instant("until 2:30", now=BEFORE_SPRING, zone=LOS_ANGELES) == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first_that_is_ahead():
    first, second = datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    assert times.instant("until 1:30", now=BEFORE_AUTUMN, zone=LOS_ANGELES) == first
    assert times.instant("until 1:30", now=first, zone=LOS_ANGELES) == second
    assert local("until 1:30", now=second) == "2026-11-02 01:30"


def test_hours_are_counted_and_days_end_at_the_same_time_of_day():
    for now, in_24_hours in ((BEFORE_SPRING, "23:00"), (BEFORE_AUTUMN, "21:00")):
        assert str(local("for 24h", now=now)).endswith(in_24_hours)
        assert str(local("for 1 day", now=now)).endswith("22:00")
        assert str(local("for 1 week", now=now)).endswith("22:00")


@given(
    text=st.text(max_size=30) | st.from_regex(r"(for|until) [0-9a-z:/ .-]{0,25}", fullmatch=True),
    now=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis adds the zone
    zone=st.sampled_from(ZONES),
)
def test_whatever_is_typed_is_an_instant_within_a_year_or_a_refusal(text, now, zone):
    found = times.instant(text, now=now, zone=zone)
    if isinstance(found, Refusal):
        return
    assert now < found <= now + FARTHEST
    assert found.utcoffset() == timedelta()
    assert times.is_readable(text)


@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    now=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- the same
    zone=st.sampled_from(ZONES),
)
def test_a_time_of_day_is_the_next_one_that_the_clock_shows(hour, minute, now, zone):
    found = times.instant(f"until {hour}:{minute:02}", now=now, zone=zone)
    assert isinstance(found, datetime)
    shown, wanted = found.astimezone(zone), hour * 60 + minute
    is_skipped = shown.hour * 60 + shown.minute != wanted
    assert found - now <= timedelta(hours=25)  # the longest day
    if is_skipped:
        assert shown.utcoffset() != (found - timedelta(hours=2)).astimezone(zone).utcoffset()


@given(minutes=st.integers(1, 500_000), zone=st.sampled_from(ZONES))
def test_minutes_do_not_depend_on_where_somebody_lives(minutes, zone):
    text = f"for {minutes}m"
    assert times.instant(text, now=SATURDAY, zone=zone) == SATURDAY.astimezone(UTC) + timedelta(minutes=minutes)
    assert not times.needs_zone(text)


@pytest.mark.parametrize("text", ["for 2 days", "until 7am", "until tomorrow", "nothing"])
def test_where_the_time_zone_matters(text):
    assert times.needs_zone(text)


@pytest.mark.parametrize(
    ("text", "before", "when"),
    [
        ("", "", None),
        ("Interior Painting", "Interior Painting", None),
        ("for 2h", "", "for 2h"),
        ("2h", "", "for 2h"),
        ("Interior Painting 1h 30m", "Interior Painting", "for 1h 30m"),
        ("Interior Painting for 2h", "Interior Painting", "for 2h"),
        ("Interior Painting UNTIL Mon 8:00", "Interior Painting", "UNTIL Mon 8:00"),
        ("Lessons for kids until 7am", "Lessons for kids", "until 7am"),
        ("Lessons for a while", "Lessons", "for a while"),
        ("Lessons for", "Lessons", "for"),
        ("for", "", "for"),
    ],
)
def test_what_stands_before_a_time(text, before, when):
    assert times.split(text) == (before, when)


@given(st.text(max_size=60))
def test_nothing_that_is_typed_gets_lost_by_splitting(text):
    before, when = times.split(text)
    said = before.split() + (when or "").split()
    assert said in (text.split(), [*before.split(), "for", *text.split()[len(before.split()) :]])


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "America", "\0"])
def test_a_time_zone_that_does_not_exist_is_none(name):
    assert times.zone_named(name) is None


def test_a_time_zone_by_name():
    assert times.zone_named("America/New_York") == NEW_YORK
