"""When the work may be done, by the clock of one time zone that is always named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.blocks.pieces import Piece, labelled
from storage.models import Lead
from webhooks.thumbtack.facts import WindowKind

SHOWN = 3
"""How many of the times that a customer proposes stand on the card; the whole list follows below it."""


def rows(lead: Lead, zone: tzinfo) -> list[str]:
    """The card's lines: what is booked, then what the customer proposes."""
    booked = [f"Booked: {told}" for told in _told(lead, zone, WindowKind.BOOKING)]
    proposed = _told(lead, zone, WindowKind.PROPOSED)
    shown = [("or " if number else "Proposed: ") + told for number, told in enumerate(proposed[:SHOWN])]
    more = len(proposed) - len(shown)
    return [*booked, *shown, *([f"and {more} more {'time' if more == 1 else 'times'}, below"] if more else [])]


def all_proposed(lead: Lead, zone: tzinfo) -> list[Piece]:
    """Every time that the customer proposes, where the card shows only some of them."""
    proposed = _told(lead, zone, WindowKind.PROPOSED)
    return labelled("Proposed times", "\n".join(proposed), bold_label=True) if len(proposed) > SHOWN else []


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A time by the clock of a place; `end` is None where only the beginning is known."""

    start: datetime
    end: datetime | None
    with_year: bool

    def told(self) -> str:
        start, end = self.start, self.end
        if end is None:
            return f"{self._day(start)}, {_clock(start)} {start:%Z}"
        is_midnight = end.time() == time(0) and end.date() == start.date() + timedelta(days=1)
        if end.date() != start.date() and not is_midnight:
            is_near = (end.date() - start.date()).days < 7
            until = f"{end:%a}" if is_near else f"{self._day(end)},"
            return f"{self._day(start)}, {_clock(start)}{_zone(start, end)} – {until} {_clock(end)} {end:%Z}"
        if is_midnight and start.time() == time(0):
            return f"{self._day(start)}, all day, {start:%Z}"
        until = "midnight" if is_midnight else _clock(end)
        if zone := _zone(start, end):
            return f"{self._day(start)}, {_clock(start)}{zone} – {until} {end:%Z}"
        begins = _clock(start).removesuffix(f" {end:%p}") if not is_midnight else _clock(start)
        return f"{self._day(start)}, {begins}–{until} {end:%Z}"

    def _day(self, at: datetime) -> str:
        return f"{at:%a}, {at:%b} {at.day}" + (f", {at.year}" if self.with_year else "")


def _told(lead: Lead, zone: tzinfo, kind: WindowKind) -> list[str]:
    return [span.told() for span in _spans(lead, zone, kind)]


def _spans(lead: Lead, zone: tzinfo, kind: WindowKind) -> Iterator[_Span]:
    """The year is told where it is not that in which the lead came."""
    came = lead.created_at or lead.received_at
    for window in lead.windows or ():
        if window["kind"] != kind:
            continue
        begins = datetime.fromisoformat(window["start"])  # compared as they stand: in one zone, Python compares clocks
        ends = datetime.fromisoformat(window["end"]) if window["end"] else None
        start = _local(begins, zone)
        with_year = came is None or start.year != _local(came, zone).year
        yield _Span(start=start, end=_local(ends, zone) if ends and ends > begins else None, with_year=with_year)


def _local(at: datetime, zone: tzinfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:  # at the ends of the calendar
        return at.astimezone(UTC)


def _clock(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M %p}"


def _zone(start: datetime, end: datetime) -> str:
    """The first of two abbreviations, where the clocks change in between."""
    return "" if start.tzname() == end.tzname() else f" {start:%Z}"
