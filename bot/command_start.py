"""How every command begins: with its settings and its database, or it ends with a sentence."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import click

from bot import logs, settings
from bot.settings import Settings, SettingsError
from storage import migrate
from storage.database import Database, StorageError

T = TypeVar("T")

WRONG = 2
NOT_HELD = 1
"""Exit codes beside 0: wrong settings or usage; it did not hold."""


def fail(message: str, code: int) -> NoReturn:
    """End with a sentence on stderr."""
    click.echo(message, err=True)
    sys.exit(code)


def loaded() -> Settings:
    """The settings, or the end of the program with every mistake in them."""
    try:
        found = settings.load()
    except SettingsError as error:
        fail(str(error), WRONG)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"The file .env cannot be read ({type(error).__name__}): it must be text in UTF-8.", WRONG)
    logs.configure(found.log_format, found.log_level)
    return found


def with_database(found: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with the database, beside a running `serve`; end with a sentence where it does not answer."""

    async def run() -> T:
        database = Database(found.database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (StorageError, OSError) as error:
        fail(f"The database does not do as asked ({cause(error)}). Check DATABASE_URL.", WRONG)


def cause(error: BaseException) -> str:
    """What the driver calls it; never its message, which could hold what customers wrote."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


def with_tables(found: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """The same with a database that is there and of use to us; ends with a sentence where it is not so."""
    file = Database(found.database_url).file
    if file is not None and not file.exists():
        fail(f"There is no database at {file}. `corkboard serve` makes it; DATABASE_URL says where.", WRONG)
    shape = with_database(found, migrate.shape)
    if not shape.is_usable:
        fail(shape.advice, NOT_HELD)
    return with_database(found, work)
