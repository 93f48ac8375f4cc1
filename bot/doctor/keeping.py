"""Where everything is kept, as the doctor finds it: the database, its shape, its key, and the room on the disk."""

import asyncio
import shutil
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.command_start import cause
from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.settings import Settings
from storage import leftovers, migrate
from storage.database import Database, StorageError, utcnow
from storage.vault import Vault, VaultError, key_file, read_keys

PATIENCE = 15.0
"""Seconds that the database gets for all of this."""

LITTLE_ROOM = 1_000_000_000
NO_ROOM = 50_000_000
"""Bytes that are free on the disk of a SQLite file."""

OLD = timedelta(days=30)
"""How long a copy of before an upgrade or a restore is good for anything."""

DAMAGED = "Check DATABASE_URL. If the file is damaged, restore a backup (docs/operating.md says how)."
GONE = "Check DATABASE_URL, and that its server runs."


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was found; `vault` opens what is sealed, and is None where no key does. `readable`: the rows can be read."""

    findings: list[Finding] = field(default_factory=list)
    vault: Vault | None = None
    readable: bool = False


async def look(settings: Settings, database: Database) -> Kept:
    """Look at the database without changing it; a SQLite file that is missing is not made."""
    if database.file is not None and not database.file.is_file():
        told = f"there is no {database.file}"
        return Kept(findings=[_broken("reached", told, "`corkboard serve` makes it; DATABASE_URL says where.")])
    try:
        async with asyncio.timeout(PATIENCE):
            return await _look(settings, database)
    except (StorageError, OSError) as error:
        remedy = GONE if database.file is None else DAMAGED
        return Kept(findings=[_broken("reached", f"it does not do as asked ({cause(error)})", remedy)])


async def _look(settings: Settings, database: Database) -> Kept:
    shape = await migrate.shape(database)
    found = [ok(Area.DATABASE, "reached", "it answers")]
    if not shape.is_usable:
        return Kept(findings=[*found, _broken("shape", *_split(shape.advice)), *_file(database)])
    drift = await migrate.drift(database) if shape.is_current else []
    if shape.is_newer:
        found.append(warning(Area.DATABASE, "shape", *_split(shape.advice)))
    elif drift:
        told = f"{len(drift)} differences between its tables and this program"
        found.append(_broken("shape", told, "`corkboard db check` names them; restore a backup, or report it."))
    else:
        found.append(ok(Area.DATABASE, "shape", f"the newest ({shape.head})"))
    vault, key = await _key(settings, database)
    return Kept(findings=[*found, key, *_file(database)], vault=vault, readable=not drift)


def _split(advice: str) -> tuple[str, str]:
    """What holds, and what to do, of a sentence that says both."""
    told, _, remedy = advice.partition(": ")
    return told, remedy[:1].upper() + remedy[1:]


async def _key(settings: Settings, database: Database) -> tuple[Vault | None, Finding]:
    keys, remedy = (
        [key.get_secret_value() for key in settings.encryption_keys],
        "Put the right key into ENCRYPTION_KEYS.",
    )
    path = None if database.file is None else key_file(database.file)
    if not keys and path is not None:
        remedy = f"Put {path.name} of this database back from your backup."
        if not path.is_file():
            return None, await _no_key(database, path, remedy)
        keys = read_keys(path)
    if not keys:
        return None, _broken("key", "there is none", "Set ENCRYPTION_KEYS.")
    try:
        vault = Vault(keys)
    except VaultError as error:
        return None, _broken("key", str(error), remedy)
    async with database.reading() as tx:
        fits = await vault.fits(tx)
    if fits is False:
        return None, _broken("key", "it does not open what the database holds: nothing starts with it", remedy)
    return vault, ok(Area.DATABASE, "key", "it fits" if fits else "nothing is sealed yet")


async def _no_key(database: Database, path: Path, remedy: str) -> Finding:
    async with database.reading() as tx:
        sealed = await Vault([NOBODYS_KEY]).fits(tx) is not None
    if sealed:
        return _broken("key", f"there is no {path}, and without it nothing opens", remedy)
    return ok(Area.DATABASE, "key", f"{path.name} is made when `corkboard serve` starts first")


NOBODYS_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""Fits nothing; only for asking whether anything is sealed."""


def _file(database: Database) -> list[Finding]:
    """Of a SQLite file: whether it has room to grow, whether only its owner reads it and its key, and copies beside it."""
    if database.file is None:
        return []
    free = shutil.disk_usage(database.file.parent).free
    open_to_others = [path.name for path in (database.file, key_file(database.file)) if _is_open(path)]
    found = [_room(free), *_copies(database.file)]
    if open_to_others:
        told = f"others on this machine can read {' and '.join(open_to_others)}"
        found.append(warning(Area.DATABASE, "permissions", told, f"chmod 600 {' '.join(open_to_others)}"))
    return found


def _copies(file: Path) -> list[Finding]:
    """Copies of before an upgrade or a restore: what was erased since stands in them."""
    found = leftovers.of(file)
    if not found:
        return []
    names = " ".join(one.name for one in found)
    told = f"beside it, with what was erased since: {names}"
    oldest = datetime.fromtimestamp(min(one.stat().st_mtime for one in found), UTC)
    if utcnow() - oldest < OLD:
        return [ok(Area.DATABASE, "copies", told)]
    return [warning(Area.DATABASE, "copies", told, f"When all is well: rm {names}")]


def _room(free: int) -> Finding:
    told, remedy = (
        f"{free / 1e9:.1f} GB are free on its disk",
        "Make room: when the disk is full, webhooks are refused.",
    )
    if free < NO_ROOM:
        return _broken("room", told, remedy)
    if free < LITTLE_ROOM:
        return warning(Area.DATABASE, "room", told, remedy)
    return ok(Area.DATABASE, "room", told)


def _is_open(path: Path) -> bool:
    return path.is_file() and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _broken(subject: str, told: str, remedy: str) -> Finding:
    return broken(Area.DATABASE, subject, told, remedy)
