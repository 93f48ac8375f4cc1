"""Notices when Slack's events may not have reached us although the program runs: what Slack could not hand over is gone."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from storage.presence import AWAY, TRIES_LAST, Missed

RETRY = "x-slack-retry-num"
"""Slack's header on an event that it could not hand over before: which try again this is, from 1
(docs.slack.dev/apis/events-api#retries)."""

EARLIER = TRIES_LAST * 1.5
"""How much older than its last try the message may be that an event tells of."""


def passed() -> float:
    """Seconds, whatever becomes of the clock; those in which the machine slept are counted where it can tell (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Attention:
    """What this process saw of Slack's requests, until a job has written it down; and whether it was there itself."""

    def __init__(self, clock: Callable[[], datetime], passed: Callable[[], float] = passed) -> None:
        """From now on."""
        self._clock = clock
        self._heard_at = clock()
        self._silence: tuple[datetime, datetime] | None = None
        self._passed = passed
        self._began = passed()
        self._beaten: float | None = None
        self.missed: Missed | None = None

    @property
    def lived(self) -> timedelta:
        """For how long this process has been there."""
        return timedelta(seconds=self._passed() - self._began)

    def beaten(self) -> None:
        """That we are there was written down now."""
        self._beaten = self._passed()

    @property
    def was_there(self) -> bool:
        """Whether this process was there all the time, whatever the clock says: then somebody set it."""
        return self._beaten is not None and self._passed() - self._beaten <= AWAY.total_seconds()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """A request of Slack was answered so.

        What was not stored Slack tries again, but not for ever. And one that comes at a later try, after nothing came
        for long (or soon after that, for others may come before it), says that we could not be reached: what Slack told
        meanwhile, it gave up.
        """
        now = self._clock()
        if status >= 500:
            self.miss(since=now - EARLIER)
        if status != 200:
            return  # anybody may knock
        if now - self._heard_at > AWAY:
            self._silence = (self._heard_at, now)
        self._heard_at = now
        if _tries(headers) > 1 and self._silence is not None:
            (since, until), self._silence = self._silence, None
            if now - until <= TRIES_LAST:
                self.miss(since=since)

    def miss(self, *, since: datetime) -> None:
        """Events of messages written since then may not have reached us."""
        before = self.missed.since if self.missed else since
        self.missed = Missed(since=min(since, before), at=self._clock())

    def written_down(self, missed: Missed) -> None:
        """This is in the database now."""
        if self.missed == missed:
            self.missed = None


def _tries(headers: Mapping[str, str]) -> int:
    told = headers.get(RETRY, "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 4 else 0
