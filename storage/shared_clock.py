"""The time that all replicas go by: PostgreSQL's, where this machine's clock is wrong by more than a moment.

A claim holds for a minute by the clock of whoever made it, and is over by the clock of whoever looks: with clocks that
differ by more than that, one replica would take from another what it is saying just now.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

TOLERATED = timedelta(seconds=0.5)
"""What a clock may be off, and nothing is done: two of them then agree within a second (docs/decisions/0022)."""

PRECISE = timedelta(seconds=1)
"""How long the answer may take: a later one does not tell what time it is."""

log = structlog.get_logger()


def machines() -> datetime:
    """What this machine's own clock shows."""
    return datetime.now(UTC)


class SharedClock:
    """The program's clock, set right by how far this machine's is off."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock`: this machine's, with what was added to it for a try-out."""
        self._clock = clock
        self.off = timedelta()

    def __call__(self) -> datetime:
        """The time, an aware instant."""
        return self._clock() + self.off

    def compare(self, theirs: datetime, *, asked_at: datetime, heard_at: datetime) -> bool:
        """Follow PostgreSQL's clock, which showed `theirs` between two moments of ours. False: that took too long."""
        if not timedelta() <= heard_at - asked_at <= PRECISE:
            return False
        off = theirs - (asked_at + (heard_at - asked_at) / 2)
        if abs(off) < TOLERATED:
            off = timedelta()
        if abs(off - self.off) > TOLERATED:
            log.warning("clock_differs", seconds=round(off.total_seconds(), 1))
        self.off = off
        return True
