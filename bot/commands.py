"""All commands but `serve`, which is in `bot.cli`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from cryptography.fernet import Fernet

from bot import logs, manifest, purging, queues
from bot.backing_up import backup, restore
from bot.command_start import NOT_HELD, WRONG, cause, fail, loaded, with_database, with_tables
from bot.doctor.findings import State, worst
from bot.queues import SERVED_AT
from bot.routes_commands import routes_group
from bot.settings import LogLevel
from bot.terminal import print_table, terminal
from bot.threads_commands import threads_group
from storage import leftovers, migrate, rotating
from storage.database import Database, StorageError, utcnow
from storage.rotating import Rotated
from storage.vault import Vault, VaultError, key_file

PORT = click.IntRange(0, 65_535)


@click.command()
@click.option("--headless", is_flag=True, help="Play and check it, print the transcript, and exit.")
def demo(*, headless: bool) -> None:
    """Play the main job on this machine, with stand-ins for Slack and Thumbtack; no account is needed."""
    from sandbox.demo import play  # noqa: PLC0415 -- the stand-ins are loaded by these two commands alone

    sys.exit(0 if asyncio.run(play(terminal(), headless=headless)) else NOT_HELD)


@click.command()
@click.option("--port", default=8100, show_default=True, type=PORT, help="Port to listen at; 0 takes any free one.")
@click.option("--bot", default=SERVED_AT, show_default=True, help="Where `corkboard serve` listens.")
@click.option("--socket", is_flag=True, help="Let Slack speak over Socket Mode.")
def sandbox(port: int, bot: str, *, socket: bool) -> None:
    """Run the stand-ins for Slack and Thumbtack alone, and print the settings that point `serve` at them."""
    from sandbox.alone import PortTakenError, run_alone  # noqa: PLC0415 -- same

    try:
        asyncio.run(run_alone(terminal(), terminal(stderr=True), port=port, bot_url=bot, socket=socket))
    except PortTakenError as error:
        fail(str(error), WRONG)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def check(*, as_json: bool) -> None:
    """Look at settings, database, Slack, Thumbtack and queues, and say what is wrong and what to do; changes nothing."""
    from bot.doctor import report  # noqa: PLC0415 -- the other commands need no clients of Slack and Thumbtack
    from bot.doctor.examination import examine  # noqa: PLC0415 -- same

    found = loaded()
    logs.configure(found.log_format, LogLevel.ERROR)  # what is wrong is told by the report
    findings = asyncio.run(examine(found, clock=utcnow))
    if as_json:
        click.echo(report.as_json(findings, checked_at=utcnow()))
    else:
        report.show(terminal(), findings)
    sys.exit(NOT_HELD if worst(findings) is State.BROKEN else 0)


@click.command()
@click.option(
    "--answers", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Take the answers of a file."
)
@click.option(
    "--manifest",
    "manifest_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the manifest of the Slack app there.",
)
@click.option("--untested", is_flag=True, help="Ask neither Slack nor anybody else whether the answers are right.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def setup(names: tuple[str, ...], answers: Path | None, manifest_file: Path | None, *, untested: bool) -> None:
    """Ask for each setting, or those of these names, test it at once, and write .env whole or not at all."""
    from bot.setup.command import run  # noqa: PLC0415 -- the other commands ask nobody

    run(names, answers_file=answers, manifest_file=manifest_file, untested=untested)


@click.command("manifest")
@click.option(
    "--socket", is_flag=True, help="For Socket Mode: Slack needs no address then, and SLACK_APP_TOKEN is set."
)
@click.option("--url", help="Address under which Slack reaches `corkboard serve`, https://…; by default PUBLIC_URL.")
def print_manifest(*, socket: bool, url: str | None) -> None:
    """Print the manifest to make the Slack app from, with your address in it."""
    if socket and url:
        fail("Over Socket Mode Slack needs no address: leave out --url, or --socket.", WRONG)
    address = url or (None if socket else loaded().public_url)
    if address is None and not socket:
        fail("Say --url https://… with your own address, or --socket.", WRONG)
    try:
        click.echo(manifest.by_http(address) if address else manifest.by_socket(), nl=False)
    except manifest.NoManifest as error:
        fail(str(error), WRONG)


@click.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest shape; a SQLite file is copied first."""
    try:
        copied = with_database(loaded(), migrate.upgrade)
    except migrate.TablesInUse as error:
        fail(str(error), NOT_HELD)
    if copied is not None:
        click.echo(f"The database was copied to {copied.name} first.")
    click.echo("The database has the newest shape.")


@db.command("check")
def db_check() -> None:
    """Tell whether the database has the shape that this program wants."""
    drift = with_tables(loaded(), migrate.drift)
    if drift:
        fail("The tables differ from the models:\n" + "\n".join(drift), NOT_HELD)
    click.echo("The database has the newest shape.")


@click.group()
def keys() -> None:
    """Look after the encryption keys."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key for ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())


@keys.command("rotate")
def keys_rotate() -> None:
    """Seal everything anew with the first key of ENCRYPTION_KEYS, or with a new one in corkboard.key."""
    found = loaded()
    keys = [key.get_secret_value() for key in found.encryption_keys]
    file = Database(found.database_url).file
    if not keys and file is None:
        fail("ENCRYPTION_KEYS is required on PostgreSQL; make a key with `corkboard keys new`.", WRONG)
    path = None if keys or file is None else key_file(file)

    if path is not None and not path.exists():
        fail(f"There is no {path}: without it nothing here opens. Put it back from your backup.", NOT_HELD)

    async def write(database: Database) -> Rotated:
        if path is None:
            return await rotating.reseal(database, Vault(keys))
        return await rotating.rotate_file(database, path)

    rotated = with_tables(found, write)
    click.echo(f"{rotated.resealed} secrets were sealed anew.")
    if path is not None:
        click.echo(
            f"{path.name} holds the new key, and the one before until the next rotation. Copy it to your backup."
        )
    elif len(keys) > 1:
        click.echo("Now take the other keys out of ENCRYPTION_KEYS and restart `corkboard serve`.")
    else:
        click.echo(
            "To change the key: put one from `corkboard keys new` last in ENCRYPTION_KEYS and restart every `corkboard "
            "serve`, so that all open with it; then put it first, restart them again, and run this."
        )
    if rotated.unopened:
        fail(f"{rotated.unopened} secrets open with none of the keys and stay as they are.", NOT_HELD)


@click.command()
@click.argument("business_id", metavar="BUSINESS_ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(business_id: str, *, yes: bool) -> None:
    """Forget everything of a business now, by the id that Thumbtack gives it."""
    found = loaded()
    known = with_tables(found, lambda database: purging.look(database, business_id))
    if not yes:
        _ask_before(known)
    try:
        counts = with_tables(found, lambda database: purging.purge(database, found, business_id, clock=utcnow))
    except purging.UnderWay as error:
        fail(str(error), NOT_HELD)
    if not known and not any(counts.values()):
        fail(f"Nothing is known of a business {business_id}.", NOT_HELD)
    threads = counts.pop("threads_to_delete", 0)
    print_table(["deleted", "count"], [(name.replace("_", " "), count) for name, count in sorted(counts.items())])
    click.echo(f"Our posts in {threads} threads are deleted by `corkboard serve`, about one a second; then it tells.")
    file = Database(found.database_url).file
    for copy in leftovers.of(file) if file is not None else ():
        click.echo(f"{copy} holds it still: delete that copy when you do not need it.")
    click.echo("So do backups from before: delete them, or erase again when you restored one.")


def _ask_before(known: Sequence[purging.Found]) -> None:
    if not sys.stdin.isatty():
        fail("Say --yes: there is no terminal to ask on.", WRONG)
    for one in known:
        click.echo(f"{one.name or 'A business without a name'} ({one.environment}): {one.leads} leads.")
    click.confirm("Delete everything of it, with our posts in Slack?", abort=True)


@click.command("test-lead")
@click.argument("business_id", metavar="[BUSINESS_ID]", required=False)
def test_lead(business_id: str | None) -> None:
    """Have Thumbtack's test environment make a lead (for BUSINESS_ID, or the one connected), and write to its customer."""
    from bot.test_lead import NotTestable, try_test_lead  # noqa: PLC0415 -- the other commands need no client of Thumbtack

    try:
        held = try_test_lead(loaded(), terminal(), business_id=business_id)
    except (NotTestable, VaultError) as error:
        fail(str(error), WRONG)
    except (StorageError, OSError) as error:
        fail(f"The database does not do as asked ({cause(error)}). Check DATABASE_URL.", WRONG)
    sys.exit(0 if held else NOT_HELD)


COMMANDS = (
    demo,
    sandbox,
    check,
    setup,
    print_manifest,
    db,
    keys,
    purge,
    test_lead,
    backup,
    restore,
    queues.outbox_group,
    queues.inbox_group,
    routes_group,
    threads_group,
)
