"""What `corkboard serve` does before it serves: settings, the newest shape of the database, and that nobody else serves it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial

import click

from bot.app import NotServable, check, make_vault
from bot.command_start import WRONG, fail, loaded, with_database
from bot.server import CannotListen, run
from bot.settings import LogFormat, Settings
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
            if not with_database(found, partial(_is_servable, found)):
                with_database(found, migrate.upgrade)
                with_database(found, partial(_check, found))
            run(found, host=host, port=port, workers=workers)
    except (AlreadyServed, CannotListen, NotServable, VaultError, migrate.TablesInUse) as error:
        fail(str(error), WRONG)


async def _is_servable(found: Settings, database: Database) -> bool:
    """Whether there is nothing to upgrade before. Raises NotServable or VaultError where it cannot be served at all."""
    if found.database_migrate and await migrate.is_behind(database):
        return False
    await _check(found, database)
    return True


async def _check(found: Settings, database: Database) -> None:
    await check(database, make_vault(found, database))


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
