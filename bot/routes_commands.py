"""The commands `routes import` and `routes export`: the rules about where leads go, as a file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bot import routes_file
from bot.command_start import NOT_HELD, fail, loaded, with_tables
from bot.routes_file import FileWrong
from storage import businesses, channels, routing, rules
from storage.database import Database, Transaction, utcnow
from storage.rules import By, Rule

_LISTED = 20
"""How many mistakes, and ids, are listed."""


@click.group("routes")
def routes_group() -> None:
    """Look after the rules about where leads go."""


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """What is worth a second look in rules that were taken in."""

    unknown: Sequence[str]
    closed: Sequence[str]


@routes_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def routes_import(file: Path) -> None:
    """Put the rules of a CSV file in place of those that there are, all of them or none."""
    found = loaded()
    try:
        wanted = routes_file.load(file.read_bytes())
    except FileWrong as wrong:
        more = len(wrong.mistakes) - _LISTED
        listed = [*wrong.mistakes[:_LISTED], *([f"And {more} more."] if more > 0 else [])]
        fail("Nothing was changed.\n" + "\n".join(listed), NOT_HELD)

    async def write(database: Database) -> _Taken:
        async with database.transaction() as tx:
            await rules.replace_all(tx, wanted, by=By(team_id=None, actor=None, now=utcnow()))
            return await _looked_at(tx, wanted)

    taken = with_tables(found, write)
    click.echo(f"Rules there are now: {len(wanted)}. They hold for leads that come from now on.")
    if taken.unknown:
        click.echo(f"Nothing was heard of these businesses yet: {_some(taken.unknown)}.", err=True)
    if taken.closed:
        click.echo(f"Nothing can be posted to these channels now: {_some(taken.closed)}.", err=True)


async def _looked_at(tx: Transaction, wanted: Sequence[Rule]) -> _Taken:
    named = list(dict.fromkeys(rule.business for rule in wanted if rule.business is not None))
    closed = {one.channel for one in await channels.listed(tx) if one.closed is not None}
    return _Taken(
        unknown=[one for one in named if not await businesses.named(tx, one)],
        closed=list(dict.fromkeys(rule.channel for rule in wanted if rule.channel in closed)),
    )


def _some(ids: Sequence[str]) -> str:
    more = len(ids) - _LISTED
    return ", ".join(ids[:_LISTED]) + (f" and {more} more" if more > 0 else "")


@routes_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
def routes_export(file: Path) -> None:
    """Write the rules into a CSV file that `routes import` reads; `-` prints it."""

    async def read(database: Database) -> Sequence[Rule]:
        async with database.reading() as tx:
            return [rules.rule_of(row) for row in await routing.rules(tx)]

    text = routes_file.dump(with_tables(loaded(), read))
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {(error.strerror or type(error).__name__).lower()}.", NOT_HELD)
    click.echo(f"Written: {file}")
