"""A process that serves gives its threads their turn soon, and looks through nothing that stays for ever."""

import gc
import sys
from collections.abc import Iterator

import pytest

from bot.process import SWITCH_AFTER, tune


@pytest.fixture
def _as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    gc.unfreeze()  # the suite does the same for itself
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_as_before")
def test_it_is_tuned_once_everything_is_loaded():
    tune()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_AFTER)
    assert gc.get_freeze_count() > len(sys.modules)
