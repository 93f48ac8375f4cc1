"""When a business is open: counted in its own time zone, over midnight, and in the nights in which clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import hours_typed
from bot.hours import DAYS, Hours, clock
from bot.hours_typed import Unreadable

CHICAGO = ZoneInfo("America/Chicago")
OFFICE = {day: [["08:00", "12:00"], ["13:00", "17:30"]] for day in DAYS[:5]}


def local(text: str) -> datetime:
    """A time of the year 2026 as clocks in Chicago show it: "06-01 08:00" is a Monday morning."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=CHICAGO)


def shown(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(CHICAGO):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("06-01 07:59", "06-01 08:00"),
        ("06-01 08:00", "06-01 08:00"),
        ("06-01 11:59", "06-01 11:59"),
        ("06-01 12:00", "06-01 13:00"),  # at closing time it is closed
        ("06-05 17:30", "06-08 08:00"),  # Friday evening
        ("06-06 10:00", "06-08 08:00"),
    ],
)
def test_when_it_is_open_next(at, opens):
    hours = Hours.of(OFFICE, CHICAGO)
    assert shown(hours.opening(local(at))) == opens
    assert hours.is_open(local(at)) == (at == opens)


@pytest.mark.parametrize(
    ("since", "minutes", "at"),
    [
        ("06-01 09:00", 15, "06-01 09:15"),
        ("06-01 11:50", 15, "06-01 13:05"),  # over lunch
        ("06-05 17:25", 60, "06-08 08:55"),  # over the weekend
        ("06-06 03:00", 5, "06-08 08:05"),  # asked at night
        ("06-05 17:25", 5, "06-08 08:00"),  # nothing is said at closing time
        ("06-01 08:00", 42 * 60 + 30, "06-08 08:00"),  # a whole week of them
    ],
)
def test_when_so_much_open_time_has_passed(since, minutes, at):
    assert shown(Hours.of(OFFICE, CHICAGO).after(local(since), timedelta(minutes=minutes))) == at


def test_who_never_closes_counts_every_minute():
    since = local("06-06 23:50")
    assert Hours.of(None, CHICAGO).after(since, timedelta(minutes=15)) == since + timedelta(minutes=15)


def test_who_never_opens_waits_for_ever():
    for stored in ({}, {"mon": []}, {"mon": [["8", "nine"]], "tue": "all day", "wed": [[]]}):
        hours = Hours.of(stored, CHICAGO)
        assert hours.opening(local("06-01 09:00")) is None
        assert hours.next_working_day(local("06-01 09:00")) is None


def test_a_night_that_crosses_midnight_belongs_to_the_day_on_which_it_begins():
    hours = Hours.of({"fri": [["18:00", "02:00"]]}, CHICAGO)
    assert hours.is_open(local("06-06 01:59"))  # Saturday
    assert not hours.is_open(local("06-06 02:00"))
    assert not hours.is_open(local("06-05 01:00"))
    assert shown(hours.after(local("06-05 23:50"), timedelta(minutes=15))) == "06-06 00:05"


def test_hours_that_overlap_are_counted_once():
    hours = Hours.of({"mon": [["08:00", "12:00"], ["10:00", "14:00"]]}, CHICAGO)
    assert shown(hours.after(local("06-01 08:00"), timedelta(hours=5))) == "06-01 13:00"


@pytest.mark.parametrize(
    ("night", "hours_long"),
    [("03-08", 3), ("06-07", 4), ("11-01", 5)],  # Sundays: clocks go forward, do not change, go back
)
def test_time_is_counted_as_it_passes_when_clocks_change(night, hours_long):
    hours = Hours.of({"sun": [["00:30", "04:30"]]}, CHICAGO)
    opens = hours.opening(local(f"{night} 00:00"))
    assert shown(opens) == f"{night} 00:30"
    assert opens is not None
    last = opens + timedelta(hours=hours_long) - timedelta(seconds=1)
    assert hours.is_open(last)
    assert not hours.is_open(last + timedelta(seconds=1))


def test_a_time_that_no_clock_shows_and_one_that_comes_twice():
    skipped, twice = Hours.of({"sun": [["02:30", "06:00"]]}, CHICAGO), Hours.of({"sun": [["01:00", "01:30"]]}, CHICAGO)
    assert shown(skipped.opening(local("03-08 00:00"))) == "03-08 03:30"
    opens = twice.opening(local("11-01 00:00"))
    assert opens is not None
    assert opens.astimezone(UTC).hour == 6  # the first of both
    assert twice.is_open(opens + timedelta(minutes=89))
    assert not twice.is_open(opens + timedelta(minutes=90))


@pytest.mark.parametrize(
    ("stored", "now", "at"),
    [
        (OFFICE, "06-01 07:00", "06-02 08:00"),  # not this very morning
        (OFFICE, "06-05 15:00", "06-08 08:00"),  # Friday: not the weekend
        (None, "06-05 15:00", "06-06 08:00"),
        ({day: [["00:00", "00:00"]] for day in DAYS}, "06-05 15:00", "06-06 08:00"),  # nobody is woken at midnight
        ({"sat": [["00:00", "02:00"]]}, "06-05 15:00", "06-06 00:00"),
        ({"mon": [["06:00", "14:00"]]}, "06-01 23:00", "06-08 06:00"),
    ],
)
def test_the_next_working_day(stored, now, at):
    assert shown(Hours.of(stored, CHICAGO).next_working_day(local(now))) == at


TIMES = st.times().map(lambda at: at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0))
SPANS = st.lists(st.tuples(TIMES, TIMES).map(lambda span: [f"{at:%H:%M}" for at in span]), max_size=3).map(sorted)
WEEKS = st.fixed_dictionaries({}, optional=dict.fromkeys(DAYS, SPANS))
INSTANTS = st.integers(0, 525_600).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
ZONES = st.sampled_from(["America/Chicago", "America/Phoenix", "UTC", "Australia/Lord_Howe"]).map(ZoneInfo)
LENGTHS = st.integers(0, 20_000).map(lambda minutes: timedelta(minutes=minutes))


@given(WEEKS, ZONES, INSTANTS, LENGTHS, LENGTHS)
def test_time_adds_up_whenever_it_is_open(week, zone, since, first, second):
    hours = Hours.of(week, zone)
    midway = hours.after(since, first)
    if midway is None:
        assert not any(week.values())
        return
    assert midway >= since + first
    assert hours.is_open(midway)
    assert hours.after(midway, second) == hours.after(since, first + second)


# What people type


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("Mon-Fri 8-5", "Mon-Fri 8:00 AM-5:00 PM"),
        ("weekdays 9am to 5pm; Sat, Sun closed", "Mon-Fri 9:00 AM-5:00 PM"),
        ("MONDAY: 8.30–17", "Mon 8:30 AM-5:00 PM"),
        ("Mon 8-12, 1-5", "Mon 8:00 AM-12:00 PM, 1:00 PM-5:00 PM"),
        ("sun 1-5pm", "Sun 1:00 PM-5:00 PM"),
        ("sun 11-2 p.m.", "Sun 11:00 AM-2:00 PM"),
        ("Fri 18:00 until 2", "Fri 6:00 PM-2:00 AM"),
        ("Fri-Mon 8-8", "Mon 8:00 AM-8:00 PM\nFri-Sun 8:00 AM-8:00 PM"),
        ("daily 24h", "Mon-Sun all day"),
        ("Sat & Sun noon-midnight", "Sat-Sun 12:00 PM-12:00 AM"),
        ("Tues 7a-3p\nTue 16-18", "Tue 7:00 AM-3:00 PM, 4:00 PM-6:00 PM"),
        (hours_typed.EXAMPLE, "Mon-Fri 8:00 AM-5:30 PM\nSat 9:00 AM-12:00 PM"),
    ],
)
def test_what_people_type(typed, means):
    week = hours_typed.read(typed)
    assert isinstance(week, dict), week
    assert hours_typed.shown(week) == means


@pytest.mark.parametrize(
    "typed",
    ["8-5", "Mon", "Mon 8", "Mon 25-26", "Mon 8:75-9", "Mon 13pm-15", "Someday 8-5", "Mon 8-10-12", "Mon closed"],
)
def test_what_cannot_be_read_is_said(typed):
    assert hours_typed.read(f"Tue 8-5\n{typed}" if typed != "Mon closed" else typed) == Unreadable(line=typed)


def test_too_much_is_a_mistake_and_nothing_is_nothing():
    assert hours_typed.read(" \n ; ") is None
    assert isinstance(hours_typed.read("Mon 8-9\n" * 7), Unreadable)
    assert isinstance(hours_typed.read("Mon 8-9 " * 500), Unreadable)


@given(WEEKS)
def test_what_is_shown_can_be_typed_again(week):
    week = {day: sorted(spans) for day, spans in week.items() if spans}
    assert hours_typed.read(hours_typed.shown(week)) == (week or None)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_answered(text):
    found = hours_typed.read(text)
    assert found is None or isinstance(found, dict | Unreadable)


def test_a_stored_time():
    assert clock("24:00") == time(0)
    assert [clock(text) for text in ("8", "25:00", "08:60", "٣:00", None, "-1:00")] == [None] * 6
