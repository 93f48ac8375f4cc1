"""Tells of what happens often once a minute at most, with how many times."""

from collections.abc import Callable
from datetime import datetime, timedelta

TOLD_EACH = timedelta(minutes=1)
"""Between two lines about the same."""


class Often:
    """One thing that happens often."""

    def __init__(self, tell: Callable[[int], None], *, clock: Callable[[], datetime]) -> None:
        """`tell`: writes the line, given how many times it happened since the last one."""
        self._tell = tell
        self._clock = clock
        self._unsaid = 0
        self._said_at: datetime | None = None

    def once_more(self) -> None:
        """It happened; one line for all that came since the last line."""
        now = self._clock()
        self._unsaid += 1
        if self._said_at is not None and timedelta() <= now - self._said_at < TOLD_EACH:
            return
        self._tell(self._unsaid)
        self._said_at, self._unsaid = now, 0
