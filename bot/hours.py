"""When a business is open, in its own time zone: whether now, when next, and when so much open time has passed. Pure.

Time is counted as it passes, also in the nights in which clocks change. A business opens at the first of two times that
a clock shows twice, and closes at the second; a time that is skipped is taken as long after the last one that there is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The keys of stored hours, in the order of `date.weekday`."""

MIDNIGHT = time(0)
MORNING = time(8)
"""When the next working day begins where a business is open all day."""

FARTHEST = 1_500
"""Days that are looked at: the longest step of a ladder takes less at an hour a week, and a mistake must come to an end."""

Span = tuple[time, time]
"""From opening until closing; one that does not end after it begins ends on the next day."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A business's week in its time zone: the spans of each weekday (Monday is 0); None is always open."""

    week: Mapping[int, Sequence[Span]] | None
    zone: tzinfo

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None, zone: tzinfo) -> "Hours":
        """Hours as they are stored with a business ({"mon": [["08:00", "17:30"]], …}); what cannot be read is left out."""
        if stored is None:
            return cls(week=None, zone=zone)
        return cls(week={DAYS.index(day): _spans(stored[day]) for day in DAYS if day in stored}, zone=zone)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at this instant; at closing time it no longer is."""
        return self.opening(at) == at

    def opening(self, at: datetime) -> datetime | None:
        """This instant where it is open, else when it opens next; None where it never does."""
        return self.after(at, timedelta())

    def after(self, since: datetime, length: timedelta) -> datetime | None:
        """The first open instant at which it has been open for so long since then; None where there is none."""
        reached, left = since.astimezone(UTC), length
        if self.week is None:
            return reached + left
        for opens, closes in self._from(reached):
            begins = max(opens, reached)
            if closes - begins > left:
                return begins + left
            if closes > begins:
                left, reached = left - (closes - begins), closes
        return None

    def next_working_day(self, now: datetime) -> datetime | None:
        """When it opens on the next day on which it does; at eight where it does not close. None where it never opens."""
        today = now.astimezone(self.zone).date()
        if self.week is None:
            return self._instant(today + timedelta(days=1), MORNING)
        for opens, closes in self._from(now):
            local = opens.astimezone(self.zone)
            if local.date() > today:
                morning = self._instant(local.date(), MORNING)
                return morning if local.time() == MIDNIGHT and morning < closes else opens
        return None

    def _from(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans that may still be open at `since` and those after it, as instants, in the order of opening."""
        if not self.week or not any(self.week.values()):
            return
        first = since.astimezone(self.zone).date() - timedelta(days=1)  # yesterday's may cross midnight
        for ahead in range(FARTHEST):
            day = first + timedelta(days=ahead)
            for begins, ends in sorted(self.week.get(day.weekday(), ())):
                last_day = day if ends > begins else day + timedelta(days=1)
                yield self._instant(day, begins), self._instant(last_day, ends, last=True)

    def _instant(self, day: date, clock: time, *, last: bool = False) -> datetime:
        """When the clock shows this; `last`: of two such times the second."""
        local = datetime.combine(day, clock, tzinfo=self.zone)
        both = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        return max(both) if last else both[0]


def clock(text: object) -> time | None:
    """A stored time of day, as in "08:00"; "24:00" is midnight. None where it is no such thing."""
    hour, colon, minute = str(text).partition(":")
    if not (colon and hour.isascii() and minute.isascii() and hour.isdecimal() and minute.isdecimal()):
        return None
    try:
        return time(int(hour) % 24 if (int(hour), int(minute)) == (24, 0) else int(hour), int(minute))
    except ValueError:
        return None


def _spans(stored: object) -> list[Span]:
    spans = []
    for one in stored if isinstance(stored, list) else ():
        match one:
            case [first, last] if (begins := clock(first)) is not None and (ends := clock(last)) is not None:
                spans.append((begins, ends))
            case _:
                continue
    return spans
