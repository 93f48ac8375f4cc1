"""What becomes of a delivery that failed: pure functions from (failure, attempt, now, jitter) to a verdict.

A retry is a value, never a sleep. Every failure says whether the call may have been made: what may have been made is
looked for before it is made again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.failures import Failure, Sort

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LONGEST_HOLD = 300.0
"""Seconds. A held queue is tried at least so often, so that it resumes by itself when it is mended."""

LONGEST_ASKED = 3600.0
"""Seconds. A Retry-After beyond an hour is not meant, and would stop a channel for good."""

AFTER_A_MISTAKE = 5.0
MISTAKES = 5
"""How many errors of our own code one entry may cause before it is given up: about a minute and a half."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try again at a time. `maybe_done`: look first. `hold_channel`: nobody posts there before."""

    at: datetime
    reason: str
    maybe_done: bool = False
    hold_channel: bool = False


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """It can never succeed as it is; a person is told."""

    reason: str


Verdict = Again | GiveUp


def judge(failure: Failure, *, attempt: int, now: datetime, jitter: float) -> Verdict:
    """The verdict on a failure; `attempt` counts from 1, `jitter` is in [0, 1)."""
    asked, reason = _asked(failure.retry_after), failure.reason
    match failure.sort:
        case Sort.REFUSED:
            return GiveUp(reason=reason)
        case Sort.LATER:
            at = now + timedelta(seconds=asked or _pause(attempt, jitter))
            return Again(at=at, reason=reason, hold_channel=reason == "ratelimited")
        case Sort.UNKNOWN:
            at = now + timedelta(seconds=max(asked, _pause(attempt, jitter)))
            return Again(at=at, reason=reason, maybe_done=True)
        case Sort.HELD:
            at = now + timedelta(seconds=_pause(attempt, jitter, longest=LONGEST_HOLD))
            return Again(at=at, reason=reason, hold_channel=True)


def judge_mistake(reason: str, *, mistakes: int, now: datetime, jitter: float, maybe_done: bool) -> Verdict:
    """The verdict on an error of our own code, the entry's `mistakes`-th, counted from 1."""
    if mistakes >= MISTAKES:
        return GiveUp(reason=reason)
    pause = _pause(mistakes, jitter, first=AFTER_A_MISTAKE)
    return Again(at=now + timedelta(seconds=pause), reason=reason, maybe_done=maybe_done)


def _asked(retry_after: float | None) -> float:
    """The seconds the other side asked for, as far as they make sense; 0 where it did not."""
    if retry_after is None or not retry_after > 0:  # not a number is not above 0 either
        return 0.0
    return min(max(retry_after, FIRST_PAUSE / 2), LONGEST_ASKED)


def _pause(attempt: int, jitter: float, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> float:
    """Doubling, between half and all of the step, so that many do not come back at once."""
    step = min(longest, first * 2.0 ** min(max(attempt, 1) - 1, 20))
    return step * (0.5 + jitter / 2)
