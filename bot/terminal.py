"""What all commands share: the settings or the end of the program, the database or a sentence, and a terminal."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NoReturn, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import logs, settings
from bot.settings import Settings, SettingsError
from storage import migrate
from storage.database import Database, StorageError

T = TypeVar("T")

WRONG = 2
NOT_HELD = 1
"""Exit codes beside 0: wrong settings or usage; it did not hold."""

LISTED = 100
"""How many entries a list shows."""


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


def terminal(*, stderr: bool = False) -> Console:
    """Where people read: plain text when piped, and a letter that cannot be shown there ends nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return Console(stderr=stderr, highlight=False)


def when(instant: datetime) -> str:
    """An instant, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"


def print_table(columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """A table; piped, each row stays one line."""
    if not rows:
        click.echo("Nothing.")
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = terminal()
    if not console.is_terminal:
        console.width = 1_000
    console.print(table)
    if len(rows) == LISTED:
        click.echo(f"These are the first {LISTED}; there may be more.")
