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


DRAWS = """
import sys
from bot.process import undrawn

with undrawn():
    import httpx, structlog
assert sys.modules.keys().isdisjoint({"rich", "pygments"})
try:
    raise ValueError("broken")
except ValueError:
    told = structlog.dev.ConsoleRenderer(colors=False)(None, "error", {"event": "job_broke", "exc_info": True})
assert "job_broke" in told and "ValueError: broken" in told, told

from bot import terminal  # which draws

with undrawn():
    import rich.table
"""


def test_what_draws_is_there_for_whoever_asks_for_it_later():
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run((sys.executable, "-c", DRAWS), env=environment, capture_output=True, check=False, text=True)  # noqa: S603 -- our own program
    assert (done.returncode, done.stderr) == (0, "")


SERVES = """
import contextlib, sys
from bot import cli

with contextlib.suppress(SystemExit):
    cli.main(["serve", "--host", "256.0.0.1", "--port", "0"])

from bot import settings
from bot.app import create_app

create_app(settings.load())
print(*sys.modules)
"""
"""All that happens before it serves; nobody can listen there."""


@pytest.mark.parametrize(
    "unneeded",
    [
        {"bot.commands", "bot.backing_up", "bot.doctor", "alembic", "sandbox"},
        {"asyncpg", "sqlalchemy.dialects.postgresql"},
        {"httpx", "httpcore"},
        {"phonenumbers.phonenumberutil"},
        {"rich", "pygments"},
    ],
    ids=[
        "other commands",
        "PostgreSQL on SQLite",
        "a client of Thumbtack, which nobody asked yet",
        "phone numbers",
        "what draws",
    ],
)
def test_it_starts_without(unneeded, tmp_path):
    settings = {"DATABASE_URL": "sqlite+aiosqlite:///new.db", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **settings}
    for is_new in (True, False):  # the first start makes the tables
        assert is_new is not (tmp_path / "new.db").exists()
        done = subprocess.run(  # noqa: S603 -- our own program
            (sys.executable, "-c", SERVES), cwd=tmp_path, env=environment, capture_output=True, check=True, text=True
        )
        assert "Cannot listen at 256.0.0.1" in done.stderr
        loaded = {*done.stdout.split()}
        assert "bot.server" in loaded
        assert unneeded.isdisjoint(loaded), is_new
