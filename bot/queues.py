"""The commands `outbox` and `inbox`: what waits, what died and why, and trying it again."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bot.command_start import NOT_HELD, fail, loaded, with_tables
from bot.terminal import LISTED, print_table, when
from storage import inbox, upkeep
from storage.database import Database, utcnow
from storage.models import Inbox, Outbox

SERVED_AT = "http://127.0.0.1:8000"
"""Where `corkboard serve` listens unless it is told otherwise."""


@click.group("outbox")
def outbox_group() -> None:
    """See what is still to be said to Slack and Thumbtack."""


@outbox_group.command("list")
def outbox_list() -> None:
    """List what waits, what died, and why."""

    async def read(database: Database) -> Sequence[Outbox]:
        async with database.reading() as tx:
            return await upkeep.listing(tx, limit=LISTED)

    found = with_tables(loaded(), read)
    print_table(
        ["id", "kind", "lane", "state", "attempt", "due", "delivery", "reason"],
        [
            (row.id, row.kind, row.lane, row.state, row.attempt, when(row.due_at), row.delivery_id, row.reason)
            for row in found
        ],
    )


@outbox_group.command("retry")
@click.argument("entry_id", type=int, metavar="ID")
def outbox_retry(entry_id: int) -> None:
    """Try an entry again now that died, or that waits."""

    async def write(database: Database) -> bool:
        async with database.transaction() as tx:
            return await upkeep.retry(tx, entry_id, now=utcnow())

    if not with_tables(loaded(), write):
        fail(f"There is no entry {entry_id} that died or waits.", NOT_HELD)
    click.echo("It is tried again within 5 seconds, where `corkboard serve` runs.")


@click.group("inbox")
def inbox_group() -> None:
    """See webhooks as they arrived."""


@inbox_group.command("list")
def inbox_list() -> None:
    """List what is not read yet, what could not be understood, and why."""

    async def read(database: Database) -> Sequence[Inbox]:
        async with database.reading() as tx:
            return await inbox.listing(tx, limit=LISTED)

    found = with_tables(loaded(), read)
    print_table(
        ["id", "route", "lead", "state", "received", "reason"],
        [(row.id, row.route, row.lead_thumbtack_id, row.state, when(row.received_at), row.reason) for row in found],
    )


@inbox_group.command("retry")
@click.argument("inbox_id", type=int, metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All that could not be understood.")
def inbox_retry(inbox_id: int | None, *, everything: bool) -> None:
    """Read a webhook again that was not understood, after a fix."""
    if (inbox_id is None) is not everything:
        raise click.UsageError("Give an id, or --all.")

    async def write(database: Database) -> int:
        async with database.transaction() as tx:
            return await inbox.retry(tx, inbox_id, now=utcnow())

    count = with_tables(loaded(), write)
    if count == 0 and not everything:
        fail(f"There is no webhook {inbox_id} that waits or was not understood and whose body is still kept.", NOT_HELD)
    click.echo(f"Webhooks to be read again within 5 seconds, where `corkboard serve` runs: {count}.")


@inbox_group.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--route", default="/v1/lead", show_default=True, help="The webhook route to post it to.")
@click.option("--url", default=SERVED_AT, show_default=True, help="Where `corkboard serve` listens.")
def inbox_replay(file: Path, route: str, url: str) -> None:
    """Post a file to this server as Thumbtack would, with the webhook credentials of the settings."""
    from bot.replay import NoAnswer, replay  # noqa: PLC0415 -- needs an HTTP client, the other commands do not

    found = loaded()
    try:
        status, body = replay(found, file.read_bytes(), route=route, url=url)
    except NoAnswer as error:
        fail(str(error), NOT_HELD)
    click.echo(f"{status} {body}")
    sys.exit(0 if status < 300 else NOT_HELD)
