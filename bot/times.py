"""Reads the times that people type after `for` and `until`, in their own time zone. Pure: the clock is an argument.

Hours and minutes are counted by the clock's ticking; days and weeks end at the same time of day, also when daylight
saving begins or ends between. A time of day that is skipped in spring is taken as long after the last one that there
is; one that comes twice in autumn is the first that is still ahead.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FARTHEST = timedelta(days=366, hours=2)
"""Whoever means more than a year does not mean a pause. The hours: days by the calendar may be longer than 24 hours."""

JUST_PASSED = timedelta(days=183)
"""A day named without its year that is over for less than this is not meant for the next year: it is a mistake."""

LONGEST = 100
"""Characters of a time that is read at all."""

EXAMPLES = ("for 90m", "for 3 days", "until 7am", "until Mon 8:00", "until Nov 30")
"""What people are shown who typed something else."""


class Refusal(Enum):
    """Why there is no instant."""

    PAST = "past"
    TOO_FAR = "too_far"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class _Length:
    """A time span: days by the calendar, the rest by the clock."""

    days: int = 0
    clock: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True)
class _Day:
    """A day as it was named: from today, by its weekday (Monday is 0), or by its date."""

    ahead: int | None = None
    weekday: int | None = None
    year: int | None = None
    month: int = 1
    day: int = 1

    @property
    def year_may_follow(self) -> bool:
        """Whether it is a date whose year was left out."""
        return self.ahead is None and self.weekday is None and self.year is None


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """A day, a time of day, or both; a day alone is its beginning."""

    day: _Day | None
    clock: time | None


_UNITS = {"minutes": ("m", "min", "minute"), "hours": ("h", "hr", "hour"), "days": ("d", "day"), "weeks": ("w", "wk", "week")}  # fmt: skip
_UNIT = {name: unit for unit, names in _UNITS.items() for one in names for name in (one, f"{one}s")}
_PART = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,2})?|an?|half an?)\s*([a-z]+)\s*(?:,|and\b)?")
_LAST_MINUTES = re.compile(r"\b([0-9]+\s*h)\s*([0-9]{1,2})$")  # 1h30
_AMOUNTS = {"a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5}

_CLOCK = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*(?:([ap])\.?m\.?)?")
_NAMED_CLOCKS = {"noon": time(12), "midnight": time(0)}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = {name[:length]: number for number, name in enumerate(_WEEKDAYS) for length in (3, 4, 5, len(name))}
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
_MONTH = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, 4, len(name))}
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})",
        r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})(?:/(?P<year>[0-9]{4}))?",
        r"(?P<month>[a-z]{3,9})\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?: (?P<year>[0-9]{4}))?",
        r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?\.? (?P<month>[a-z]{3,9})\.?(?: (?P<year>[0-9]{4}))?",
    )
)
_FOR, _UNTIL = frozenset({"for"}), frozenset({"until", "till", "til"})


def instant(text: str, *, now: datetime, zone: tzinfo) -> datetime | Refusal:
    """The instant (UTC) that `for …` or `until …` ends at, said at `now` by somebody who lives in `zone`."""
    read, now = _read(text), now.astimezone(UTC)  # within one time zone, Python would count by what clocks show
    if read is None:
        return Refusal.UNREADABLE
    try:
        found = _after(read, now, zone) if isinstance(read, _Length) else _next(read, now, zone)
    except OverflowError:
        return Refusal.TOO_FAR
    if isinstance(found, Refusal):
        return found
    if found <= now:
        return Refusal.PAST
    return Refusal.TOO_FAR if found - now > FARTHEST else found


def is_readable(text: str) -> bool:
    """Whether somebody's `for …` or `until …` can be read at all; which instant it is depends on their time zone."""
    return _read(text) is not None


def needs_zone(text: str) -> bool:
    """Whether the same words mean another instant in another time zone."""
    read = _read(text)
    return not isinstance(read, _Length) or read.days != 0


def split(text: str) -> tuple[str, str | None]:
    """What stands before a time, and the time with its `for` or `until`; None where there is none.

    Where nothing behind such a word can be read (the name of a category may have one), all from the first counts as the
    time. A length alone, as in `2h`, is a time too.
    """
    words = text.split()
    starts = [place for place, word in enumerate(words) if word.lower() in _FOR | _UNTIL]
    for start in starts:
        if is_readable(" ".join(words[start:])):
            return " ".join(words[:start]), " ".join(words[start:])
    if starts:
        return " ".join(words[: starts[0]]), " ".join(words[starts[0] :])
    for start in range(len(words)):
        if is_readable(length := f"for {' '.join(words[start:])}"):
            return " ".join(words[:start]), length
    return " ".join(words), None


def zone_named(name: str | None) -> tzinfo | None:
    """The time zone with this name of the tz database; None where there is no such thing."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; not even a name; a folder of the database
        return None


# Reading


def _read(text: str) -> _Length | _Moment | None:
    if len(text) > LONGEST:
        return None
    word, _, rest = " ".join(text.lower().split()).rstrip(".!").partition(" ")
    if word in _FOR:
        return _length(rest)
    return _moment(rest) if word in _UNTIL else None


def _length(text: str) -> _Length | None:
    text = _LAST_MINUTES.sub(r"\1 \2m", text)
    days, clock, place = 0.0, timedelta(), 0
    while place < len(text):
        part = _PART.match(text, place)
        unit = _UNIT.get(part[2]) if part else None
        if part is None or unit is None:
            return None
        amount, place = _AMOUNTS.get(part[1]) or float(part[1]), part.end()
        if unit in ("days", "weeks"):
            days += amount * (7 if unit == "weeks" else 1)
        else:
            clock += timedelta(**{unit: amount})
    whole = int(days)
    return _Length(days=whole, clock=clock + timedelta(days=days - whole)) if text else None


def _moment(text: str) -> _Moment | None:
    """A day and a time of day, in either order, or one of them."""
    words = text.replace(",", " ").replace(" at ", " ").split()
    for cut in range(len(words) + 1):
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        day, clock = _day(first), _clock(second)
        if (day or clock) and (day or not first) and (clock or not second):
            return _Moment(day=day, clock=clock)
        day, clock = _day(second), _clock(first)
        if day and clock:
            return _Moment(day=day, clock=clock)
    return None


def _clock(text: str) -> time | None:
    """`7am`, `7:30`, `19:00`, `noon`; a number alone could be anything."""
    found = _CLOCK.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        return _NAMED_CLOCKS.get(text)
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[3] == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _day(text: str) -> _Day | None:
    if text in ("today", "tomorrow"):
        return _Day(ahead=int(text == "tomorrow"))
    if (weekday := _WEEKDAY.get(text.rstrip("."))) is not None:
        return _Day(weekday=weekday)
    found = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if found is None:
        return None
    named = found["month"]
    month = int(named) if named.isdecimal() else _MONTH.get(named, 0)
    day = _Day(year=int(found["year"]) if found["year"] else None, month=month, day=int(found["day"]))
    return day if _is_a_day(day) else None


def _is_a_day(day: _Day) -> bool:
    try:
        date(2000 if day.year is None else day.year, day.month, day.day)  # 2000 has all the days that any year has
    except ValueError:
        return False
    return True


# Finding the instant


def _after(length: _Length, now: datetime, zone: tzinfo) -> datetime:
    if length.days == 0:
        return now + length.clock
    local = now.astimezone(zone)
    at = datetime.combine(local.date() + timedelta(days=length.days), local.time())
    return at.replace(tzinfo=zone, fold=local.fold).astimezone(UTC) + length.clock


def _next(moment: _Moment, now: datetime, zone: tzinfo) -> datetime | Refusal:
    """The first instant ahead that the moment may mean; else what is wrong with what it may mean."""
    refusal, is_date = Refusal.UNREADABLE, moment.day is not None and moment.day.year_may_follow
    for day in _days(moment.day, now.astimezone(zone).date()):
        local = datetime.combine(day, moment.clock or time(0), tzinfo=zone)
        both = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        if ahead := [at for at in both if at > now]:
            return ahead[0]
        refusal = Refusal.PAST
        if is_date and now - both[-1] < JUST_PASSED:
            break
    return refusal


def _days(day: _Day | None, today: date) -> list[date]:
    """The days that may be meant, the nearest first."""
    if day is None:
        return [today, today + timedelta(days=1)]
    if day.ahead is not None:
        return [today + timedelta(days=day.ahead)]
    if day.weekday is not None:
        nearest = today + timedelta(days=(day.weekday - today.weekday()) % 7)
        return [nearest, nearest + timedelta(days=7)]
    years = [today.year, today.year + 1] if day.year is None else [day.year]
    return [date(year, day.month, day.day) for year in years if _is_a_day(replace(day, year=year))]
