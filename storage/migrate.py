"""Alembic, configured in code: bring a database to the newest shape, and tell whether it has it.

It is loaded where tables are there and have to be altered: a new database gets its own without it (`storage.new_tables`),
and one that has the newest shape is seen to without it, at every start.
"""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text

from storage import leftovers, new_tables
from storage.away import is_away, is_in_use
from storage.database import Database, StorageError, utcnow
from storage.models.base import migrations_metadata

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds until the tables are tried again that others use."""

log = structlog.get_logger()


class TablesInUse(Exception):  # noqa: N818 -- it reads as the sentence it is
    """Others use the tables all the time; nothing was changed, and the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The revision a database has (None: no tables of ours) and the one this program wants.

    `is_known`: this program knows the one it has.
    """

    current: str | None
    head: str
    is_known: bool = True

    @property
    def is_current(self) -> bool:
        """Whether the database has the shape this program wants."""
        return self.current == self.head

    @property
    def is_behind(self) -> bool:
        """Whether this program would bring it to the newest shape."""
        return self.is_known and not self.is_current

    @property
    def is_newer(self) -> bool:
        """Whether a later version of the program shaped it: revisions are numbered."""
        return not self.is_known and self.current is not None and self.current > self.head

    @property
    def is_usable(self) -> bool:
        """Whether this program works with it: migrations only add, so that a version before runs on a newer shape.

        It does, beside the new one, while an upgrade rolls over the replicas; and alone, where somebody goes back.
        """
        return self.is_current or self.is_newer

    @property
    def advice(self) -> str:
        """What a person reads where it has another shape."""
        if self.is_newer:
            return (
                f"A newer version of Corkboard shaped this database ({self.current}; this one knows {self.head}): "
                "this one works with it; finish the upgrade."
            )
        if not self.is_known:
            return (
                f"No version of Corkboard up to this one made the shape of this database ({self.current}): "
                "look where DATABASE_URL leads, or restore a backup."
            )
        found = "no tables yet" if self.current is None else f"an older shape ({self.current}, not {self.head})"
        return f"The database has {found}: run `corkboard db upgrade`."


def config(connection: Connection | None = None) -> "Config":
    """Alembic's settings, without an .ini file."""
    from alembic.config import Config  # noqa: PLC0415 -- see above

    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    settings.attributes["connection"] = connection
    return settings


async def shape(database: Database) -> Shape:
    """Which revision the database has; only reads."""
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(_shape)


async def upgrade(database: Database) -> Path | None:
    """Bring the database to the newest shape; returns where a SQLite file was copied before, if it was.

    Copies of earlier upgrades are deleted then: what was erased since stands in them. A database that a newer version of
    the program shaped is left alone. All of it happens, or nothing. Whoever uses the tables meanwhile goes first, and it
    is tried again; raises TablesInUse where that does not end.
    """
    if not await is_behind(database):
        return None
    copied = await _copied(database) if await _tables(database) else None
    for pause in PAUSES:
        try:
            await _to_the_newest(database)
        except (StorageError, OSError) as error:
            if not is_away(error):
                raise
            log.warning("migration_put_off", error=type(error).__name__, seconds=pause)
            await asyncio.sleep(pause)
        else:
            return copied
    try:
        await _to_the_newest(database)
    except StorageError as error:
        if not is_in_use(error):
            raise
        raise TablesInUse(
            "The tables are in use all the time and could not be changed; nothing was. Try again when less happens, "
            "or stop the other processes first."
        ) from error
    return copied


async def is_behind(database: Database) -> bool:
    """Whether there is something to upgrade; a SQLite file that is not there yet is made."""
    if database.file is not None and not database.file.exists():
        database.file.touch(mode=0o600)  # customers' data: its owner's alone, as are the files SQLite puts beside it
    return (await shape(database)).is_behind


async def _copied(database: Database) -> Path | None:
    copied = await database.copy(f"{leftovers.BEFORE}{_known()[0]}-{utcnow():%Y%m%dT%H%M%S}")
    if copied is not None and database.file is not None:
        await asyncio.to_thread(leftovers.keep_only, copied, file=database.file)
    return copied


async def _to_the_newest(database: Database) -> None:
    async with database.altering() as connection:
        await connection.run_sync(_alter)


def _alter(connection: Connection) -> None:
    """Do what is still to be done: others did it perhaps, while we waited for our turn to alter the tables."""
    found = _shape(connection)
    if not found.is_behind:
        return
    if new_tables.are_missing(connection):
        new_tables.make(connection, found.head)
        return
    from alembic import command  # noqa: PLC0415 -- see above

    command.upgrade(config(connection), "head")


async def drift(database: Database) -> list[str]:
    """Where the tables of a migrated database differ from the models; empty is good."""
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(_differences)


@cache
def _known() -> tuple[str, ...]:
    """The revisions this program knows, the newest first: each file of them begins with its own number."""
    files = (SCRIPTS / "versions").glob("[0-9]*_*.py")
    return tuple(sorted((file.name.partition("_")[0] for file in files), reverse=True))


async def _tables(database: Database) -> list[str]:
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(lambda sync: inspect(sync).get_table_names())


def _shape(connection: Connection) -> Shape:
    known, current = _known(), _revision(connection)
    return Shape(current=current, head=known[0], is_known=current is None or current in known)


def _revision(connection: Connection) -> str | None:
    """What Alembic wrote down; it keeps one row, or none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _differences(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 -- see above
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 -- see above

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, migrations_metadata())]
