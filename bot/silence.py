"""Whether nothing comes for a business although something should: told from the times of its own leads. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise

from bot.hours import Hours
from storage.hearing import Habit

FEWEST = 10
"""Of fewer leads nobody can tell a habit."""

LOOKED_AT = timedelta(days=120)
"""How long before the last lead its habit is looked at: businesses grow, and have seasons."""

USUALLY = 0.9
"""So many of the pauses between leads are shorter than what counts as usual; nights and weekends are among the others."""

BEYOND_USUAL, BEYOND_LONGEST = 3.0, 1.5
"""How many times as long as usual, and as the longest pause but one, is far beyond the habit.

Of leads that come by pure chance, one pause in a thousand is three times as long as nine of ten are. The longest pause
of all may have been an outage or a holiday.
"""

SHORTEST = timedelta(days=1)
"""Nobody is troubled earlier, however many leads come."""

FORGOTTEN = timedelta(days=90)
"""What is silent for longer surprises nobody any more."""

DAY = (time(8), time(20))
"""When people may be told, where a business has no hours of its own."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nothing was heard since then. `usual`: nine of ten pauses between leads were no longer; `longest`: nor any."""

    since: datetime
    usual: timedelta
    longest: timedelta


def of(times: Sequence[datetime], *, since: datetime, now: datetime) -> Silence | None:
    """The silence, where it is far beyond the habit. `times`: of leads, in order; `since`: of anything heard."""
    times = [at for at in times if times[-1] - at <= LOOKED_AT]
    if len(times) < FEWEST:
        return None
    pauses = sorted(later - earlier for earlier, later in pairwise(times))
    usual, longest = pauses[int(len(pauses) * USUALLY)], pauses[-1]
    bearable = max(SHORTEST, usual * BEYOND_USUAL, pauses[-2] * BEYOND_LONGEST)
    if not bearable < now - since <= FORGOTTEN:
        return None
    return Silence(since=since, usual=usual, longest=longest)


def of_habit(habit: Habit, *, now: datetime) -> Silence | None:
    """Likewise of a business whose leads are not paused."""
    return None if habit.is_paused else of(habit.times, since=habit.since, now=now)


def may_be_told(now: datetime, *, hours: Hours, zone: tzinfo) -> bool:
    """Whether it is a time at which somebody can look: while the business is open, else by day."""
    if hours.week is not None:
        return hours.is_open(now)
    return DAY[0] <= now.astimezone(zone).time() < DAY[1]
