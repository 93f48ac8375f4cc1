"""Counts wrong webhook credentials, so that whoever tries many is answered cheaply; right ones are never held up."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from webhooks.often import Often

AT_ONCE = 100
"""Wrong ones that are answered 401, each with a line in the log, before the rest are answered 429."""

EACH = timedelta(seconds=1)
"""After which one more is answered 401."""

RETRY_AFTER = "60"
"""Seconds that the answer 429 asks for."""


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
        self._many = Often(_tell, clock=clock)

    def one_more(self) -> bool:
        """Count one that was wrong; whether there were too many lately."""
        now = self._clock()
        passed = max(timedelta(), now - self._counted_at)  # a clock that was put back gives nothing
        self._counted_at = now
        self._left = min(float(AT_ONCE), self._left + passed / EACH)
        if self._left >= 1:
            self._left -= 1
            return False
        self._many.once_more()
        return True


def _tell(times: int) -> None:
    log.warning("webhook_credentials_guessed", times=times)
