"""What becomes of a delivery that failed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dispatch.verdicts import (
    AFTER_A_MISTAKE,
    FIRST_PAUSE,
    LONGEST_ASKED,
    LONGEST_HOLD,
    LONGEST_PAUSE,
    MISTAKES,
    Again,
    GiveUp,
    judge,
    judge_mistake,
)
from bot.failures import SLACK_HELD, SLACK_LATER, SLACK_UNKNOWN, Failure, Sort, of_slack

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
HALF = 0.0
"""The jitter that gives half of a step; the next below 1 gives all of it."""

TABLE = [
    # what failed                                                        attempt  after (s)  looks first  holds channel
    (of_slack("ratelimited", status=429, retry_after=30.0), 1, 30.0, False, True),
    (of_slack("ratelimited", status=429, retry_after=30.0), 9, 30.0, False, True),
    (of_slack("ratelimited", status=429, retry_after=None), 1, 0.5, False, True),
    (of_slack("", status=503, retry_after=None), 1, 0.5, True, False),
    (of_slack("", status=503, retry_after=20.0), 1, 20.0, True, False),
    (of_slack("", status=503, retry_after=1.0), 9, 30.0, True, False),
    (of_slack("internal_error", status=200, retry_after=None), 3, 2.0, True, False),
    (of_slack("not_in_channel", status=200, retry_after=None), 1, 0.5, False, True),
    (of_slack("token_revoked", status=200, retry_after=None), 12, 150.0, False, True),
    (Failure(Sort.LATER, "slack_unreachable"), 2, 1.0, False, False),
    (Failure(Sort.LATER, "slack_unreachable"), 99, 30.0, False, False),
    (Failure(Sort.UNKNOWN, "slack_no_answer"), 1, 0.5, True, False),
]


@pytest.mark.parametrize(("failure", "attempt", "seconds", "looks", "holds"), TABLE)
def test_when_and_how_it_is_tried_again(failure, attempt, seconds, looks, holds):
    verdict = judge(failure, attempt=attempt, now=NOW, jitter=HALF)
    at = NOW + timedelta(seconds=seconds)
    assert verdict == Again(at=at, reason=failure.reason, maybe_done=looks, hold_channel=holds)


@pytest.mark.parametrize("error", ["invalid_blocks", "no_text", "user_not_found", "something_new"])
def test_what_is_refused_is_not_tried_again(error):
    failure = of_slack(error, status=200, retry_after=None)
    assert judge(failure, attempt=1, now=NOW, jitter=HALF) == GiveUp(reason=error)


def test_slacks_errors_are_each_in_one_sort():
    assert not SLACK_HELD & SLACK_LATER
    assert not SLACK_HELD & SLACK_UNKNOWN
    assert not SLACK_LATER & SLACK_UNKNOWN


SORTS = st.sampled_from([Sort.LATER, Sort.UNKNOWN, Sort.HELD])
ANY = st.floats() | st.none()
JITTER = st.floats(0, 1, exclude_max=True)


@given(SORTS, ANY, st.integers(-5, 10**9), JITTER)
def test_it_is_never_in_the_past_nor_at_once_and_never_too_far_away(sort, retry_after, attempt, jitter):
    verdict = judge(Failure(sort, "why", retry_after=retry_after), attempt=attempt, now=NOW, jitter=jitter)
    assert isinstance(verdict, Again)
    pause = (verdict.at - NOW).total_seconds()
    assert FIRST_PAUSE / 2 <= pause <= (LONGEST_HOLD if sort is Sort.HELD else LONGEST_ASKED)


@given(st.floats(0.001, LONGEST_ASKED), st.integers(1, 100), JITTER, st.sampled_from([Sort.LATER, Sort.UNKNOWN]))
def test_what_the_other_side_asked_for_is_obeyed(retry_after, attempt, jitter, sort):
    verdict = judge(Failure(sort, "why", retry_after=retry_after), attempt=attempt, now=NOW, jitter=jitter)
    assert verdict.at >= NOW + timedelta(seconds=retry_after)


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_pauses_double_between_half_and_all_of_their_step(attempt, jitter):
    verdict = judge(Failure(Sort.LATER, "why"), attempt=attempt, now=NOW, jitter=jitter)
    step = min(LONGEST_PAUSE, 2.0 ** (attempt - 1))
    assert step / 2 <= (verdict.at - NOW).total_seconds() <= step


def test_a_mistake_of_ours_is_tried_for_about_a_minute_and_then_given_up():
    waited = 0.0
    for mistakes in range(1, MISTAKES):
        verdict = judge_mistake("broke", mistakes=mistakes, now=NOW, jitter=HALF, maybe_done=mistakes % 2 == 0)
        assert isinstance(verdict, Again)
        assert (verdict.reason, verdict.maybe_done, verdict.hold_channel) == ("broke", mistakes % 2 == 0, False)
        waited += (verdict.at - NOW).total_seconds()
    assert AFTER_A_MISTAKE / 2 <= waited <= 90
    gone = judge_mistake("broke", mistakes=MISTAKES, now=NOW, jitter=HALF, maybe_done=True)
    assert gone == GiveUp(reason="broke")
