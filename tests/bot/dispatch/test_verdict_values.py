"""What each of Slack's errors means, and how long the pauses after it are, value by value."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dispatch.verdicts import (
    LONGEST_ASKED,
    MISTAKES,
    Again,
    GiveUp,
    judge,
    judge_mistake,
)
from bot.failures import Failure, Sort, of_slack

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)

ATTEMPTS = st.integers(1, 10_000)
JITTERS = st.floats(0, 1, exclude_max=True)
TRIED_AGAIN = st.sampled_from([Sort.LATER, Sort.UNKNOWN, Sort.HELD])
UNASKED = st.builds(Failure, TRIED_AGAIN, st.just("any"), retry_after=st.none() | st.floats(max_value=0))

MENDED_BY_A_PERSON = (
    "account_inactive",
    "channel_not_found",
    "invalid_auth",
    "is_archived",
    "missing_scope",
    "not_authed",
    "not_in_channel",
    "restricted_action",
    "token_expired",
    "token_revoked",
)


def pause(failure: Failure, *, attempt: int = 1, jitter: float = 0.0) -> float:
    """The seconds until it is tried again."""
    verdict = judge(failure, attempt=attempt, now=NOW, jitter=jitter)
    assert isinstance(verdict, Again)
    return (verdict.at - NOW).total_seconds()


# What Slack's errors mean


@pytest.mark.parametrize(
    ("error", "status", "sort", "reason"),
    [
        ("ratelimited", 200, Sort.LATER, "ratelimited"),
        ("message_limit_exceeded", 200, Sort.LATER, "ratelimited"),
        ("internal_error", 200, Sort.UNKNOWN, "slack_unavailable"),
        ("fatal_error", 200, Sort.UNKNOWN, "slack_unavailable"),
        ("service_unavailable", 200, Sort.UNKNOWN, "slack_unavailable"),
        ("request_timeout", 200, Sort.UNKNOWN, "slack_unavailable"),
        *((error, 200, Sort.HELD, error) for error in MENDED_BY_A_PERSON),
        ("", 429, Sort.LATER, "ratelimited"),
        ("channel_not_found", 429, Sort.LATER, "ratelimited"),
        ("", 500, Sort.UNKNOWN, "slack_unavailable"),
        ("", 503, Sort.UNKNOWN, "slack_unavailable"),
        ("invalid_blocks", 503, Sort.UNKNOWN, "slack_unavailable"),
        ("invalid_auth", 401, Sort.HELD, "invalid_auth"),
        ("invalid_blocks", 200, Sort.REFUSED, "invalid_blocks"),
        ("message_not_found", 200, Sort.REFUSED, "message_not_found"),
        ("what_slack_adds_next_year", 200, Sort.REFUSED, "what_slack_adds_next_year"),
    ],
)
def test_each_error_is_of_one_sort(error, status, sort, reason):
    failure = of_slack(error, status=status, retry_after=None)
    assert (failure.sort, failure.reason) == (sort, reason)


@pytest.mark.parametrize("error", ["ratelimited", "internal_error"])
def test_the_time_that_slack_asks_for_is_kept(error):
    assert of_slack(error, status=200, retry_after=30.0).retry_after == 30.0


# What is done about each


@pytest.mark.parametrize(
    ("sort", "steps"),
    [
        (Sort.LATER, [1, 2, 4, 8, 16, 32, 60, 60]),
        (Sort.UNKNOWN, [1, 2, 4, 8, 16, 32, 60, 60]),
        (Sort.HELD, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
    ],
)
def test_pauses_double_up_to_the_longest(sort, steps):
    numbered = list(enumerate(steps, start=1))
    assert [pause(Failure(sort, "any"), attempt=attempt) for attempt, _ in numbered] == [step / 2 for step in steps]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (2.5, 2.5),
        (30, 30),
        (3600, 3600),
        (86_400, LONGEST_ASKED),
        (math.inf, LONGEST_ASKED),
        (0, 0.5),
        (-3, 0.5),
        (math.nan, 0.5),
    ],
)
def test_retry_after_is_obeyed_as_far_as_it_makes_sense(asked, waited):
    assert pause(Failure(Sort.LATER, "ratelimited", retry_after=asked)) == waited


# Whatever comes


@given(failure=UNASKED, attempt=ATTEMPTS, jitter=JITTERS)
def test_a_later_attempt_never_pauses_for_less(failure, attempt, jitter):
    assert pause(failure, attempt=attempt + 1, jitter=jitter) >= pause(failure, attempt=attempt, jitter=jitter)


@given(failure=UNASKED, attempt=ATTEMPTS, jitters=st.tuples(JITTERS, JITTERS).map(sorted))
def test_more_jitter_never_pauses_for_less(failure, attempt, jitters):
    less, more = (pause(failure, attempt=attempt, jitter=jitter) for jitter in jitters)
    assert less <= more


# Our own mistakes


@pytest.mark.parametrize("maybe_done", [True, False])
def test_our_own_mistakes_are_few_and_far_between(maybe_done):
    def verdict(mistakes: int):
        return judge_mistake("broke", mistakes=mistakes, now=NOW, jitter=0.0, maybe_done=maybe_done)

    seconds = [2.5, 5.0, 10.0, 20.0]
    assert [verdict(number) for number in range(1, MISTAKES)] == [
        Again(at=NOW + timedelta(seconds=pause), reason="broke", maybe_done=maybe_done) for pause in seconds
    ]
    assert verdict(MISTAKES) == GiveUp(reason="broke")


@given(mistakes=st.integers(MISTAKES, 10_000), jitter=JITTERS, maybe_done=st.booleans())
def test_after_enough_mistakes_it_is_given_up_for_good(mistakes, jitter, maybe_done):
    verdict = judge_mistake("broke", mistakes=mistakes, now=NOW, jitter=jitter, maybe_done=maybe_done)
    assert verdict == GiveUp(reason="broke")
