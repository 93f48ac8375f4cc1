"""A process that serves gives its threads their turn soon, and looks through nothing that stays for ever."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.process import SWITCH_AFTER, loading, tune

ROOT = Path(__file__).parents[2]


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


SERVES = """
import sys
from bot import cli, starting
from bot.app import create_app
from bot.settings import Settings

create_app(Settings(database_url="sqlite+aiosqlite:///here.db", slack_bot_token="xoxb-1", slack_signing_secret="s"))
print(*sys.modules)
"""


@pytest.mark.parametrize(
    "unneeded",
    [
        {"bot.commands", "bot.backing_up", "bot.doctor", "alembic", "sandbox"},
        {"asyncpg", "sqlalchemy.dialects.postgresql"},
        {"httpx", "httpcore"},
    ],
    ids=["other commands", "PostgreSQL on SQLite", "a client of Thumbtack that nobody asked yet"],
)
def test_it_starts_without(unneeded, tmp_path):
    command, environment = (sys.executable, "-c", SERVES), {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, text=True)  # noqa: S603 -- ours
    loaded = {*done.stdout.split()}
    assert "bot.server" in loaded
    assert unneeded.isdisjoint(loaded)
