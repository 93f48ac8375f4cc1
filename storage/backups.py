"""Copies of the database: made while it is in use, looked at before they count, and put back into its place."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from storage.database import BUSY_TIMEOUT_MS, Database
from storage.file_lock import lock_file
from storage.on_disk import sync

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside the file of a database: what is not yet in it."""

NO_DUMPER = (
    "There is no pg_dump here, which copies PostgreSQL: install PostgreSQL's client (postgresql-client), or run pg_dump "
    "where the server runs; docs/deploying.md has the command."
)

TWICE = "Another backup was begun in this folder in the same second: that one is made, this one is not."


class BackupError(Exception):
    """No copy was made, or none was put back; the message says why and what to do. Nothing half made is left."""


def suffix(database: Database) -> str:
    """What the name of a copy ends with."""
    return ".db" if database.is_sqlite else ".dump"


async def make(database: Database, target: Path) -> None:
    """Write a copy, whole as of one instant, into a new file for its owner alone; raises BackupError or OSError.

    Others go on meanwhile. What was deleted is not in it, and a SQLite copy was read through once.
    """
    part = target.with_name(f"{target.name}.part")
    _begin(part, target)
    try:
        if database.file is not None:
            await asyncio.to_thread(_copy_file, database.file, part)
        else:
            await _dump(database.url, part)
        sync(part)
        part.replace(target)
        sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _begin(part: Path, target: Path) -> None:
    """Whoever makes `part` makes the copy: of two in the same second the other one ends here, and touches nothing."""
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BackupError(TWICE) from None
    if target.exists():
        part.unlink()
        raise BackupError(TWICE)


def _copy_file(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source, timeout=BUSY_TIMEOUT_MS / 1_000, isolation_level=None)) as opened:
            # One snapshot, without what was deleted: https://sqlite.org/lang_vacuum.html#vacuuminto
            opened.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise BackupError(f"SQLite cannot copy it: {error}. Look with `corkboard check`.") from None
    check(target)


def check(file: Path) -> None:
    """Read a SQLite file through that nobody writes; raises BackupError where it is none, or is damaged."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise BackupError(f"The copy is no whole SQLite file ({found.splitlines()[-1]}): take another one.")


async def _dump(url: URL, target: Path) -> None:
    """By PostgreSQL's own program; the password goes by the environment, where other users do not see it."""
    command = ("pg_dump", "--format=custom", "--no-password", f"--file={target}")
    try:
        dumper = await asyncio.create_subprocess_exec(
            *command, env=os.environ | _libpq(url), stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        raise BackupError(NO_DUMPER) from None
    _, said = await dumper.communicate()
    if dumper.returncode:
        raise BackupError(f"pg_dump could not copy it: {said.decode(errors='replace').strip()}")


def _libpq(url: URL) -> dict[str, str]:
    """An address as PostgreSQL's own programs take it (https://www.postgresql.org/docs/current/libpq-envars.html)."""
    asked: dict[str, Any] = dict(url.query)
    given = {
        "PGHOST": asked.get("host", url.host),
        "PGPORT": asked.get("port", url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": asked.get("ssl", asked.get("sslmode")),
    }
    return {name: str(value) for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A copy of a SQLite file beside the database, ready to take its place, and the file of its key where it has one."""

    file: Path
    key: Path | None = None


def put_back(found: Found, *, database: Path, key: Path, aside: str) -> list[Path]:
    """Let a copy take the database's place; what stood there is kept under names that end with `aside`, and returned.

    Nobody has the database open. Should the machine stop in the middle, both are there, and one of them in the place of the
    database: at no instant would a start find none there, and make a new one. What is put there belongs to whom the folder
    belongs to, who serves it, also where root restores.
    """
    kept = [database.with_name(f"{database.name}.{aside}")] if database.exists() else []
    sync(found.file)
    if kept:
        _fold_in(database)
        _name_too(database, *kept)
    for end in BESIDE:
        with suppress(FileNotFoundError):
            database.with_name(f"{database.name}{end}").replace(database.with_name(f"{database.name}.{aside}{end}"))
    if found.key is not None:
        if key.exists() and key.read_bytes() != found.key.read_bytes():
            kept.append(_name_too(key, key.with_name(f"{key.name}.{aside}")))
        found.key.replace(key)
    found.file.replace(database)
    _give_to_owner(database.parent, (database, key, lock_file(database)))
    sync(database.parent)
    return kept


def _fold_in(database: Path) -> None:
    """Write into the file what SQLite kept beside it; where it cannot be read, the one stays beside the other."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _name_too(file: Path, name: Path) -> Path:
    """Give a file this name beside its own, until another takes that; where it can have but one, this one alone."""
    try:
        os.link(file, name)
    except OSError:
        file.replace(name)
    return name


def _give_to_owner(folder: Path, files: Iterable[Path]) -> None:
    owner = folder.stat()
    for file in files:
        with suppress(FileNotFoundError, PermissionError):
            os.chown(file, owner.st_uid, owner.st_gid)


def take(source: Path, target: Path) -> None:
    """Copy a file, to the disk, as a new one for its owner alone."""
    with (
        source.open("rb") as read,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as write,
    ):
        shutil.copyfileobj(read, write)
        write.flush()
        os.fsync(write.fileno())
