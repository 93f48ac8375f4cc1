"""What tells, while the program runs, that events of Slack's did not reach us."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.attention import EARLIER, Attention
from storage.presence import Missed

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Hands:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


def test_what_was_not_stored_may_be_lost(clock):
    attention = Attention(clock)
    clock.now += MINUTE
    attention.answered(503, {})
    assert attention.missed == Missed(since=clock.now - EARLIER, at=clock.now)


@pytest.mark.parametrize(("status", "number"), [(200, "1"), (200, "²"), (200, ""), (401, "3"), (400, "3")])
def test_other_answers_are_nothing(clock, status, number):
    attention = Attention(clock)
    clock.now += 60 * MINUTE
    attention.answered(status, {"x-slack-retry-num": number})
    assert attention.missed is None


@pytest.mark.parametrize(("silent", "number", "is_missed"), [(6, "2", True), (6, "3", True), (5, "3", False)])
def test_a_late_try_after_a_silence_says_that_we_were_not_reached(clock, silent, number, is_missed):
    attention = Attention(clock)
    attention.answered(200, {})
    clock.now += silent * MINUTE
    attention.answered(200, {"x-slack-retry-num": number})
    assert attention.missed == (Missed(since=NOW, at=clock.now) if is_missed else None)
    clock.now += MINUTE
    attention.answered(200, {"x-slack-retry-num": "3"})  # of the same time
    assert attention.missed is None or attention.missed.at == clock.now - MINUTE


@pytest.mark.parametrize(("later", "is_missed"), [(0.25, True), (3, True), (3.5, False)])
def test_what_comes_first_after_a_silence_may_be_new(clock, later, is_missed):
    attention = Attention(clock)
    attention.answered(200, {})
    clock.now += 60 * MINUTE
    for number in ("", "1", "3"):
        attention.answered(200, {"x-slack-retry-num": number})
        clock.now += later * MINUTE if number != "3" else timedelta()
    assert attention.missed == (Missed(since=NOW, at=clock.now) if is_missed else None)


def test_what_is_missed_while_it_is_written_down_is_kept(clock):
    attention = Attention(clock)
    attention.answered(500, {})
    first = attention.missed
    clock.now += MINUTE
    attention.answered(500, {})
    attention.written_down(first)
    assert attention.missed == Missed(since=NOW - EARLIER, at=clock.now)
    attention.written_down(attention.missed)
    assert attention.missed is None


def test_who_wrote_down_that_they_are_there_a_moment_ago_was_there_whatever_the_clock_says(clock):
    passed = 100.0
    attention = Attention(clock, passed=lambda: passed)
    assert not attention.was_there
    attention.beaten()
    clock.now += 60 * MINUTE
    passed += 300
    assert attention.was_there
    passed += 1
    assert not attention.was_there
