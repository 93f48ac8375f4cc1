"""Appends webhooks to the inbox by the databases' own drivers, in one transaction: whoever called us waits for it.

It is the one statement that does not go through SQLAlchemy, which takes twice the time for it (decision 20). The table,
its columns and how each of them is stored are still those of the row's class.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite

from storage.database import Database
from storage.models import Inbox

Values = Mapping[str, Any]
"""One row, by column."""

Asked = Mapping[str, Sequence[str]]
"""Thumbtack's ids of leads, by environment."""

Known = set[tuple[str, str]]
"""Environment and id of the leads of which a body was accepted before."""

COLUMNS = (
    "environment", "route", "lane", "dedupe", "body_hash", "lead_thumbtack_id", "business_thumbtack_id", "body",
    "received_at", "state", "due_at", "attempt",
)  # fmt: skip
_IN_ORDER = itemgetter(*COLUMNS)
_TABLE = Inbox.__table__  # type: ignore[attr-defined]  # SQLAlchemy's table of the row's class

AT_ONCE = 128
"""Rows in one statement: 1,536 values, of which SQLite takes 32,766."""


class Appender(Protocol):
    """Appends rows, and looks up which leads were known before them, in one transaction."""

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """Commit the rows, those left out that are there already; which of the leads asked for were known."""
        ...

    async def close(self) -> None:
        """Nothing is appended any more."""
        ...


def appender(database: Database) -> Appender:
    """The appender for this kind of database; it opens nothing before the first row."""
    return SqliteAppender(database) if database.is_sqlite else PostgresAppender(database)


class SqliteAppender:
    """A connection of its own, in a thread of its own: one hop for each commit.

    SQLite lets go of Python's lock for each statement, and under load it takes up to 5 ms to have it back: the rows go in
    by few statements, of 1, 2, 4 ... rows each, all of which the driver keeps prepared.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._written = _Written.of(sqlite.dialect(), "?")
        self._thread = ThreadPoolExecutor(1, "inbox")
        self._connection: sqlite3.Connection | None = None

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """See `Appender`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._append, rows, asked)

    def _append(self, rows: Sequence[Values], asked: Asked) -> Known:
        if self._connection is None:
            self._connection = self._database.sqlite_connection()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            known = {
                (environment, found)
                for environment, ids in asked.items()
                for (found,) in connection.execute(_known_of("?", len(ids)), (environment, *ids))
            }
            for some in _powers(rows):
                values = [value for row in some for value in self._written.values(row)]
                connection.execute(self._written.statement(len(some)), values)
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return known

    async def close(self) -> None:
        """See `Appender`. What is under way ends first: a connection that is closed in use takes the process with it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, int)
        self._thread.shutdown(wait=False)


class PostgresAppender:
    """asyncpg's own connection, out of the pool that everybody shares."""

    def __init__(self, database: Database) -> None:
        """Nothing is opened yet."""
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- 3 MB, which SQLite's process need not hold

        self._database = database
        self._written = _Written.of(postgresql.dialect(), "$")  # type: ignore[no-untyped-call]  # SQLAlchemy's

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """See `Appender`."""
        async with self._database.asyncpg_connection() as connection, connection.transaction():
            known = {
                (environment, found["lead_thumbtack_id"])
                for environment, ids in asked.items()
                for found in await connection.fetch(_known_of("$", len(ids)), environment, *ids)
            }
            await connection.executemany(self._written.statement(1), list(map(self._written.values, rows)))
        return known

    async def close(self) -> None:
        """See `Appender`."""


class _Written:
    """The statement that adds rows, and the values of one as the driver takes them."""

    def __init__(self, mark: str, binds: Sequence[Callable[[Any], Any] | None]) -> None:
        self._mark = mark
        self._binds = tuple((at, bind) for at, bind in enumerate(binds) if bind is not None)

    @classmethod
    def of(cls, dialect: Dialect, mark: str) -> "_Written":
        types = [_TABLE.c[name].type for name in COLUMNS]
        return cls(mark, [one.dialect_impl(dialect).bind_processor(dialect) for one in types])

    def statement(self, count: int) -> str:
        row = f"({_marks(self._mark, len(COLUMNS))})"
        rows = ", ".join([row] * count)
        return f"INSERT INTO {_TABLE.name} ({', '.join(COLUMNS)}) VALUES {rows} ON CONFLICT DO NOTHING"

    def values(self, row: Values) -> Sequence[Any]:
        values: list[Any] = list(_IN_ORDER(row))
        for at, bind in self._binds:
            values[at] = bind(values[at])
        return values


def _powers(rows: Sequence[Values]) -> Iterable[Sequence[Values]]:
    """The rows in their order, by powers of two: few statements, and few different ones."""
    while rows:
        count = min(1 << (len(rows).bit_length() - 1), AT_ONCE)
        yield rows[:count]
        rows = rows[count:]


def _known_of(mark: str, count: int) -> str:
    """The query for the leads that are known, of so many ids in one environment."""
    environment, *ids = _marks(mark, count + 1).split(", ")
    where = f"environment = {environment} AND lead_thumbtack_id IN ({', '.join(ids)})"
    return f"SELECT DISTINCT lead_thumbtack_id FROM {_TABLE.name} WHERE {where}"


def _marks(mark: str, count: int) -> str:
    made: Iterable[str] = (mark for _ in range(count)) if mark == "?" else (f"{mark}{n}" for n in range(1, count + 1))
    return ", ".join(made)
