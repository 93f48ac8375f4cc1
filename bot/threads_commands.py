"""The command `threads`: reading leads' threads back by hand, where nothing told that Slack could not reach us."""

import re
from datetime import timedelta

import click

from bot.command_start import loaded, with_tables
from storage import reading_back
from storage.database import Database, utcnow

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _length(_context: click.Context, _parameter: click.Parameter, typed: str) -> timedelta:
    """A length of time as people type it. Raises BadParameter for what is none, or longer than is looked back."""
    read = re.fullmatch(r"([0-9]{1,5})([mhd])", typed.strip())
    found = timedelta(**{UNITS[read[2]]: int(read[1])}) if read else timedelta()
    if not timedelta() < found <= reading_back.FARTHEST:
        raise click.BadParameter(
            f"{typed!r} must be minutes, hours or days, {reading_back.FARTHEST.days}d at most: 30m, 2h, 3d."
        )
    return found


@click.group("threads")
def threads_group() -> None:
    """Look after the threads of leads."""


@threads_group.command("read")
@click.option("--since", required=True, callback=_length, metavar="LENGTH", help="How far back: 30m, 2h, 3d.")
def threads_read(since: timedelta) -> None:
    """Read what people wrote in open leads' threads while Slack could not reach this server."""
    found = loaded()

    async def write(database: Database) -> int:
        async with database.transaction() as tx:
            now = utcnow()
            return await reading_back.enqueue(tx, since=now - since, now=now, mode=found.reply_mode)

    count = with_tables(found, write)
    click.echo(f"Threads to be read, one every 1.5 seconds, where `corkboard serve` runs: {count}.")
