"""A process that serves gives its threads their turn soon, and looks through nothing that stays for ever."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot.process import SWITCH_AFTER, loading, tune


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


@pytest.mark.usefixtures("_as_before")
def test_nothing_is_looked_through_while_it_is_loaded():
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(sys.modules)


def test_to_serve_sqlite_neither_other_commands_nor_postgresql_are_loaded():
    names = "import sys; from bot import cli, starting; print(*sys.modules)"
    command = (sys.executable, "-c", names)
    loaded = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()  # noqa: S603 -- our own
    assert "bot.server" in loaded
    assert {"bot.commands", "bot.backing_up", "bot.doctor.findings", "alembic", "sandbox"}.isdisjoint(loaded)
    assert {"asyncpg", "sqlalchemy.dialects.postgresql"}.isdisjoint(loaded)
