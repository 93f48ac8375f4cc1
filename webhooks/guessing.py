"""Counts wrong webhook credentials, so that whoever tries many is answered cheaply; right ones are never held up."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

AT_ONCE = 100
"""Wrong ones that are answered 401, each with a line in the log, before the rest are answered 429."""

EACH = timedelta(seconds=1)
"""After which one more is answered 401."""

RETRY_AFTER = "60"
"""Seconds that the answer 429 asks for."""

TOLD_EACH = timedelta(minutes=1)
"""Between two lines of the log about what was answered 429."""

log = structlog.get_logger()


class Guesses:
    """The wrong credentials of one process, whoever sent them: behind a proxy all callers share an address.

    Only for what was compared already and found wrong. So it cannot refuse Thumbtack, and it cannot slow down somebody
    who tries passwords over many connections: against those a long password helps. What it saves is the log and the work.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        """Nothing was wrong yet."""
        self._clock = clock
        self._left = float(AT_ONCE)
        self._counted_at = clock()
        self._unsaid = 0
        self._said_at: datetime | None = None

    def one_more(self) -> bool:
        """Count one that was wrong; whether there were too many lately."""
        now = self._clock()
        passed = max(timedelta(), now - self._counted_at)  # a clock that was put back gives nothing
        self._counted_at = now
        self._left = min(float(AT_ONCE), self._left + passed / EACH)
        if self._left >= 1:
            self._left -= 1
            return False
        self._tell(now)
        return True

    def _tell(self, now: datetime) -> None:
        """One line for all that came since the last line."""
        self._unsaid += 1
        if self._said_at is not None and timedelta() <= now - self._said_at < TOLD_EACH:
            return
        log.warning("webhook_credentials_guessed", times=self._unsaid)
        self._said_at, self._unsaid = now, 0
