"""Alembic, configured in code: bring a database to the newest shape, and tell whether it has it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from storage.database import Database, utcnow
from storage.models import Row

SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The revision a database has (None: no tables of ours) and the one this program wants.

    `is_newer`: a later version of the program made it, and this one does not know it.
    """

    current: str | None
    head: str | None
    is_newer: bool = False

    @property
    def is_current(self) -> bool:
        """Whether the database has the shape this program wants."""
        return self.current == self.head

    @property
    def advice(self) -> str:
        """What a person reads where it has another shape."""
        if self.is_newer:
            return (
                f"A newer version of Corkboard shaped this database ({self.current}; this one knows {self.head}): "
                "run that version, or restore the copy made before its upgrade."
            )
        found = "no tables yet" if self.current is None else f"an older shape ({self.current}, not {self.head})"
        return f"The database has {found}: run `corkboard db upgrade`."


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings, without an .ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    settings.attributes["connection"] = connection
    return settings


async def shape(database: Database) -> Shape:
    """Which revision the database has; only reads."""
    known = _known()
    async with database.reading() as tx:
        current = await (await tx.connection()).run_sync(_revision)
    return Shape(current=current, head=known[0], is_newer=current is not None and current not in known)


async def upgrade(database: Database) -> Path | None:
    """Bring the database to the newest shape; returns where a SQLite file was copied before, if it was.

    A database that a newer version of the program shaped is left alone. All of it happens, or nothing.
    """
    if database.file is not None and not database.file.exists():
        database.file.touch(mode=0o600)  # customers' data: its owner's alone, as are the files SQLite puts beside it
    found = await shape(database)
    if found.is_current or found.is_newer:
        return None
    copied = await database.copy(f"before-{found.head}-{utcnow():%Y%m%dT%H%M%S}") if await _tables(database) else None
    async with database.altering() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))
    return copied


async def drift(database: Database) -> list[str]:
    """Where the tables of a migrated database differ from the models; empty is good."""
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(_differences)


@cache
def _known() -> tuple[str, ...]:
    """The revisions this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())


async def _tables(database: Database) -> list[str]:
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(lambda sync: inspect(sync).get_table_names())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, Row.metadata)]
