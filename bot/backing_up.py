"""The commands `backup` and `restore`: the database with its key, copied while it is in use, and put back."""

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click
from cryptography.fernet import Fernet

from bot.command_start import NOT_HELD, WRONG, cause, fail, loaded
from bot.settings import Settings
from storage import backups, migrate
from storage.backups import BackupError, Found
from storage.database import Database, StorageError, utcnow
from storage.file_lock import AlreadyServed, FileLock
from storage.vault import Vault, VaultError, key_file, read_keys

T = TypeVar("T")

PREFIX = "corkboard-"
STAMP = "%Y%m%d-%H%M%S"
DATED = re.compile(r"corkboard-\d{8}-\d{6}\.(db|dump)(\.part)?")
"""What this command makes in a folder, and what is left of it where it was killed: nothing else is deleted."""

APART = "Keep the two apart: whoever has both reads everything."
IN_SETTINGS = "Its key is ENCRYPTION_KEYS in your settings: keep that too, in another place."


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path, allow_dash=True))
@click.option("--keep", type=click.IntRange(1), help="Delete older copies in FOLDER, all but so many.")
def backup(folder: Path, keep: int | None) -> None:
    """Copy the database, while it is in use, and its key into FOLDER; `-` prints the copy alone."""
    found = loaded()
    place = Database(found.database_url).file
    if place is not None and not place.exists():
        fail(f"There is no database at {place}. `corkboard serve` makes it; DATABASE_URL says where.", WRONG)
    with _told():
        copy = None
        if str(folder) == "-":
            _print_copy(found)
        else:
            copy = _copy_into(folder, found)
        if not _with(found.database_url, lambda database: _opens(database, _keys(found, place))):
            fail("No key here opens what it holds: look with `corkboard check` before you need this copy.", NOT_HELD)
        if copy is not None and keep is not None:
            _delete_older(copy, keep=keep, never=place)


def _copy_into(folder: Path, found: Settings) -> Path:
    """Returns the copy that was made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Database(found.database_url)
    target = folder / f"{PREFIX}{utcnow().strftime(STAMP)}{backups.suffix(made)}"
    _with(found.database_url, lambda database: backups.make(database, target))
    click.echo(f"Copied: {target} ({target.stat().st_size / 1e6:.1f} MB)")
    key = _key_file(found, made.file)
    if key is None:
        click.echo(IN_SETTINGS)
    elif key.exists():  # after the database: a file that was changed meanwhile holds the key before too
        backups.take(key, target.with_suffix(".key"))
        click.echo(f"Its key: {target.with_suffix('.key')}. {APART}")
    return target


def _delete_older(copy: Path, *, keep: int, never: Path | None) -> None:
    """Leave so many copies there, `copy` among them, with their keys. `never`: the database itself may be there too."""
    served = never and never.resolve()
    dated = sorted(one for one in copy.parent.iterdir() if DATED.fullmatch(one.name) and one.resolve() != served)
    others = [one for one in dated if one.suffix == copy.suffix and one != copy]
    older = others[: max(0, len(others) + 1 - keep)]
    oldest = min([*others[len(older) :], copy])
    killed = [one for one in dated if one.suffix == ".part" and one < oldest]
    for old in (*older, *killed):
        old.unlink()
        old.with_suffix(".key").unlink(missing_ok=True)


def _print_copy(found: Settings) -> None:
    if sys.stdout.isatty():
        fail("This is a terminal: send it into a file, as in `corkboard backup - > corkboard.db`.", WRONG)
    place = Database(found.database_url).file
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place.parent if place else None) as room:
        target = Path(room) / "copy"
        _with(found.database_url, lambda database: backups.make(database, target))
        with target.open("rb") as copy:
            shutil.copyfileobj(copy, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    key = _key_file(found, place)
    click.echo(f"Its key is {key}: keep that too, in another place." if key else IN_SETTINGS, err=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
def restore(file: Path) -> None:
    """Put a copy of a SQLite database that `backup` made into its place, with the key beside it; `-` reads it."""
    found = loaded()
    place = Database(found.database_url).file
    if place is None:
        fail("This puts SQLite files back; docs/operating.md says how PostgreSQL is restored.", WRONG)
    with _told():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(place), tempfile.TemporaryDirectory(prefix=PREFIX, dir=place.parent) as room:
            taken = _taken(file, Path(room), found)
            aside = f"replaced-{utcnow().strftime(STAMP)}"
            kept = backups.put_back(taken, database=place, key=key_file(place), aside=aside)
    if kept:
        click.echo(f"What was there before is {' and '.join(map(str, kept))}; delete it when all is well.")
    click.echo(f"Restored: {place}. Look with `corkboard check`, then start `corkboard serve`.")


def _taken(file: Path, room: Path, found: Settings) -> Found:
    """The copy, and its key where that lies beside it; refused unless it is whole, ours, and a key opens it."""
    taken, key = room / "corkboard.db", None
    if str(file) == "-":
        with taken.open("wb") as written:
            shutil.copyfileobj(sys.stdin.buffer, written)
    else:
        backups.take(file, taken)
        if not found.encryption_keys and file.with_suffix(".key").is_file():
            key = room / "corkboard.key"
            backups.take(file.with_suffix(".key"), key)
    taken.chmod(0o600)
    backups.check(taken)
    address = f"sqlite+aiosqlite:///{taken.absolute()}"
    shape = _with(address, migrate.shape)
    if shape.current is None or not (shape.is_known or shape.is_newer):
        raise BackupError("That file is no database of Corkboard. Nothing was changed.")
    keys = read_keys(key) if key else _keys(found, Database(found.database_url).file)
    if not _with(address, lambda database: _opens(database, keys)):
        raise BackupError(f"No key here opens that copy. {_where(found, file)} Nothing was changed.")
    return Found(file=taken, key=key)


def _where(found: Settings, file: Path) -> str:
    if found.encryption_keys:
        return "Put the key of that time into ENCRYPTION_KEYS."
    if str(file) == "-":
        return "Put its key as corkboard.key beside DATABASE_URL's file first."
    return f"Put its key beside it, as {file.with_suffix('.key').name}."


def _key_file(found: Settings, place: Path | None) -> Path | None:
    """The file of the key; None where the key is a setting."""
    return None if found.encryption_keys or place is None else key_file(place)


def _keys(found: Settings, place: Path | None) -> list[str]:
    path = _key_file(found, place)
    if path is None:
        return [key.get_secret_value() for key in found.encryption_keys]
    return read_keys(path) if path.exists() else []


async def _opens(database: Database, keys: Sequence[str]) -> bool:
    """Whether these keys open what is sealed there; also where nothing is."""
    try:
        vault = Vault(keys or [Fernet.generate_key().decode()])
    except VaultError:
        return False
    async with database.reading() as tx:
        return await vault.fits(tx) is not False


def _with(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with a database; files that cannot be written are the caller's to tell."""

    async def run() -> T:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@contextmanager
def _told() -> Iterator[None]:
    """What is refused, as a sentence."""
    try:
        yield
    except (AlreadyServed, BackupError) as error:
        fail(str(error), NOT_HELD)
    except StorageError as error:
        fail(f"The database does not do as asked ({cause(error)}). Look with `corkboard check`.", NOT_HELD)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        fail(f"It does not work ({error.filename or 'the folder'}): {why}. Mend that and try again.", NOT_HELD)
