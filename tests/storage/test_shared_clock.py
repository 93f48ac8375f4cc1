"""By whose clock the program goes, and when it leaves its machine's."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.shared_clock import SharedClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("off", "shown"), [(0, 0), (0.4, 0), (-0.4, 0), (0.6, 0.6), (-180, -180), (7200, 7200)], ids=str
)
def test_a_clock_that_is_wrong_by_more_than_a_moment_is_set_right(off: float, shown: float):
    clock = SharedClock(lambda: NOON)
    assert clock.compare(NOON + off * SECOND, asked_at=NOON, heard_at=NOON)
    assert clock() == NOON + shown * SECOND


def test_the_answer_is_taken_as_of_the_middle_of_the_question():
    clock = SharedClock(lambda: NOON)
    assert clock.compare(NOON + 10 * SECOND, asked_at=NOON, heard_at=NOON + SECOND)
    assert clock.off == 9.5 * SECOND


@pytest.mark.parametrize("took", [1.1, 60, -0.1])  # the last: this machine's clock was set back meanwhile
def test_a_question_that_took_long_tells_nothing(took: float):
    clock = SharedClock(lambda: NOON)
    clock.off = 5 * SECOND
    assert not clock.compare(NOON, asked_at=NOON, heard_at=NOON + took * SECOND)
    assert clock.off == 5 * SECOND


def test_once_the_machine_is_right_again_nothing_is_added():
    clock = SharedClock(lambda: NOON)
    for off in (300, 0):
        assert clock.compare(NOON + off * SECOND, asked_at=NOON, heard_at=NOON)
    assert clock() == NOON
