"""Business hours as people type and read them: a line for each group of days, as in `Mon-Fri 8:00 AM-5:30 PM`. Pure.

A time without AM or PM is the first of the two that comes after the one before it: `9-5` is from nine to seventeen.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time

from bot.hours import DAYS, MIDNIGHT, clock

Week = dict[str, list[list[str]]]
"""As it is stored: by weekday the spans, each from opening until closing; a day that is missing is closed."""

MOST_SPANS = 6
"""Spans of one day; more is a mistake."""

LONGEST = 500
"""Characters of all lines; far more than seven days take."""

EXAMPLE = "Mon-Fri 8:00 AM-5:30 PM\nSat 9-12"

_NAMES = {name: number for number, full in enumerate(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
) for name in (full, full[:3], full[:4], full[:5], f"{full}s")}  # fmt: skip
_GROUPS = {"weekdays": range(5), "weekday": range(5), "weekends": range(5, 7), "weekend": range(5, 7),
           "daily": range(7), "every day": range(7), "everyday": range(7)}  # fmt: skip
_FIRST_TIME = re.compile(r"[0-9]|\b(?:noon|midnight|closed|all day|open)\b")
_TO = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b|\btill\b|\bthrough\b|\bthru\b)\s*")
_TIME = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?\s*(?:([ap])\.?\s*(?:m\.?)?)?")
_ALL_DAY = frozenset({"24h", "24 h", "24 hours", "24", "all day", "open", "open all day"})


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A line that cannot be read, as it was typed."""

    line: str


@dataclass(frozen=True, kw_only=True)
class _Typed:
    """A time as it was typed; without `half` ("a" or "p") it may be either, where `hour` leaves that open."""

    hour: int
    minute: int
    half: str | None = None

    def may_be(self) -> Iterator[time]:
        """The times of day that this may mean; the next midnight counts as the beginning of a day."""
        if self.half is not None:
            yield time(self.hour % 12 + (12 if self.half == "p" else 0), self.minute)
            return
        yield time(self.hour % 24, self.minute)
        if 1 <= self.hour <= 12:
            yield time((self.hour + 12) % 24 if self.hour < 12 else 0, self.minute)


def read(text: str) -> Week | Unreadable | None:
    """The week that these lines say; None where they say nothing, and the first line that cannot be read."""
    if len(text) > LONGEST:
        return Unreadable(line=text[:40])
    week: Week = {}
    typed = [line.strip() for line in re.split(r"[\n;]", text) if line.strip()]
    for line in typed:
        found = _line(" ".join(line.casefold().split()))
        if found is None:
            return Unreadable(line=line)
        days, spans = found
        for day in days:
            week.setdefault(DAYS[day], []).extend(spans)
    week = {day: sorted(week[day]) for day in DAYS if week.get(day)}
    if typed and (not week or max(map(len, week.values())) > MOST_SPANS):
        return Unreadable(line=typed[-1])
    return week or None


def shown(week: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """The lines that say this week, consecutive days with the same hours on one; `read` gives the same week for them."""
    lines, first = [], 0
    while first < len(DAYS):
        spans = [list(span) for span in week.get(DAYS[first], ())]
        last = first
        while last + 1 < len(DAYS) and [list(span) for span in week.get(DAYS[last + 1], ())] == spans:
            last += 1
        if spans:
            days = _called(first) if first == last else f"{_called(first)}-{_called(last)}"
            lines.append(f"{days} {', '.join(map(_shown_span, spans))}")
        first = last + 1
    return "\n".join(lines)


# Reading


def _line(line: str) -> tuple[Sequence[int], list[list[str]]] | None:
    cut = _FIRST_TIME.search(line)
    days = None if cut is None else _days(line[: cut.start()].rstrip(" :"))
    if cut is None or days is None:
        return None
    rest = line[cut.start() :].strip()
    if rest == "closed":
        return days, []
    spans: list[list[str]] = []
    for part in re.split(r",|&|\band\b", rest):
        span = _span(part.strip(), behind=clock(spans[-1][1]) if spans else None)
        if span is None:
            return None
        spans.append(span)
    return days, spans


def _days(text: str) -> list[int] | None:
    """`mon`, `mon-fri, sun`, `weekdays`, `sat & sun`."""
    found: list[int] = []
    for part in re.split(r",|&|\band\b", text):
        days = _run(part.strip().rstrip("."))
        if days is None:
            return None
        found += days
    return list(dict.fromkeys(found))


def _run(text: str) -> Sequence[int] | None:
    if text in _GROUPS:
        return _GROUPS[text]
    ends = [_NAMES.get(name.rstrip(".")) for name in _TO.split(text)]
    match ends:
        case [int(only)]:
            return [only]
        case [int(first), int(last)]:
            return [day % 7 for day in range(first, last + 1 if last >= first else last + 8)]
        case _:
            return None


def _span(text: str, *, behind: time | None) -> list[str] | None:
    if text in _ALL_DAY:
        return ["00:00", "00:00"]
    ends = [_typed(part) for part in _TO.split(text)]
    match ends:
        case [_Typed() as begins, _Typed() as closes]:
            opens = _opening(begins, closes, behind)
            return [f"{opens:%H:%M}", f"{_next(closes, opens):%H:%M}"]
        case _:
            return None


def _opening(begins: _Typed, closes: _Typed, behind: time | None) -> time:
    """`8-5` begins in the morning; `1-5 pm` in the same half of the day as it ends, where that is possible.

    `behind`: when the span before it on the same line ends: in `8-12, 1-5` one begins in the afternoon.
    """
    may_be = list(begins.may_be())
    if behind is not None:
        may_be = [one for one in may_be if one >= behind] or may_be
    if begins.half is None and closes.half is not None:
        end = next(closes.may_be())
        same_half = [one for one in may_be if (one.hour >= 12) == (end.hour >= 12) and one < end]
        return (same_half or may_be)[0]
    return may_be[0]


def _next(closes: _Typed, opens: time) -> time:
    """The first time after opening that may be meant; the opening itself is a day later."""
    return min(closes.may_be(), key=lambda at: (_minutes(at) - _minutes(opens) - 1) % 1440)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _typed(text: str) -> _Typed | None:
    if text in ("noon", "midnight"):
        return _Typed(hour=12, minute=0, half="p" if text == "noon" else "a")
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    possible = 1 <= hour <= 12 if half else hour < 24 or (hour, minute) == (24, 0)
    return _Typed(hour=hour, minute=minute, half=half) if possible and minute < 60 else None


# Showing


def _called(day: int) -> str:
    return DAYS[day].capitalize()


def _shown_span(span: Sequence[str]) -> str:
    first, last = (clock(text) or MIDNIGHT for text in span)
    return "all day" if first == last == MIDNIGHT else f"{_shown_time(first)}-{_shown_time(last)}"


def _shown_time(at: time) -> str:
    return f"{at.hour % 12 or 12}:{at:%M %p}"
