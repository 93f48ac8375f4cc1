"""What the commands show in a terminal. Nothing that serves needs it: what draws takes memory and time."""

import sys
from collections.abc import Sequence
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

LISTED = 100
"""How many entries a list shows."""


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
