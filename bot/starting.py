"""What `corkboard serve` does before it serves: settings, the newest shape of the database, and that nobody else serves it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import click

from bot.app import NotServable, check, make_vault
from bot.server import CannotListen, run
from bot.settings import LogFormat, Settings
from bot.terminal import WRONG, fail, loaded, with_database
from storage import migrate
from storage.database import Database
from storage.file_lock import AlreadyServed, FileLock
from storage.vault import VaultError


def start(*, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; ends the program with a sentence where that cannot be."""
    found = loaded()
    if found.slack_bot_token is None and found.log_format is LogFormat.CONSOLE:
        click.echo(
            "There is no SLACK_BOT_TOKEN: nothing is posted. `corkboard setup` asks for all that is needed.", err=True
        )
    try:
        with _alone(found, workers):
            if found.database_migrate:
                _upgrade(found)
            with_database(found, lambda database: check(database, make_vault(found, database)))
            run(found, host=host, port=port, workers=workers)
    except (AlreadyServed, CannotListen, NotServable, VaultError) as error:
        fail(str(error), WRONG)


def _upgrade(found: Settings) -> None:
    """Where there is something to upgrade, by another process: what Alembic takes would stay in ours, 10 MB.

    Ends the program where it does not succeed, which that process has told.
    """
    if not with_database(found, migrate.is_behind):
        return
    command = (sys.executable, "-P", "-m", "bot.cli", "db", "upgrade")
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603 -- ourselves
        sys.exit(WRONG)


@contextmanager
def _alone(found: Settings, workers: int) -> Iterator[None]:
    """On SQLite one process serves one file, and says so before anything starts. Raises AlreadyServed."""
    file = Database(found.database_url).file
    if file is not None and workers > 1:
        fail("SQLite is served by one process: leave out --workers, or use PostgreSQL.", WRONG)
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(file) if file else nullcontext())
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            fail(f"The database cannot be kept at {file}: {why}. Mend that, or change DATABASE_URL.", WRONG)
        yield
