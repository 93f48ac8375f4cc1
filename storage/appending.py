"""Appends webhooks to the inbox by the databases' own drivers, in one transaction: whoever called us waits for it.

Its statements know nothing of SQLAlchemy, which takes twice the time for them (decision 20). The table,
its columns and how each of them is stored are still those of the row's class.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, TypeVar

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

Insert = tuple[str, Sequence[Any]]
"""A statement and its values."""

R = TypeVar("R")

COLUMNS = (
    "environment", "route", "lane", "dedupe", "body_hash", "lead_thumbtack_id", "business_thumbtack_id", "body",
    "state", "attempt", "received_at", "due_at",
)  # fmt: skip

_IN_ORDER = itemgetter(*COLUMNS[:-1], "received_at")  # a webhook is due when it came
_TABLE = Inbox.__table__  # type: ignore[attr-defined]  # SQLAlchemy's table of the row's class

AT_ONCE = 128
"""Rows in one statement: 1,536 values, of which SQLite takes 32,766."""

OF_ANY_SIZE = 32
"""Up to so many rows go in by one statement, whatever their number."""


class Appender(Protocol):
    """Appends rows, and looks up which leads were known before them, in one transaction."""

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """Commit the rows, those left out that are there already; which of the leads asked for were known."""
        ...


def appender(database: Database) -> Appender:
    """The appender for this kind of database; it opens nothing before the first row."""
    return SqliteAppender(database) if database.is_sqlite else PostgresAppender(database)


class SqliteAppender:
    """By the connection that writes, in its thread: one hop for each commit.

    SQLite lets go of Python's lock for each statement, and under load it takes a while to have it back: the rows go in by
    few statements, which the driver keeps prepared. One alone is a transaction of its own, and needs no other beside it:
    within a transaction SQLite also writes down what each statement changes, in case that only this one fails.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._written = _Written.of(sqlite.dialect(), "?")

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """See `Appender`. Whoever asks has the turn to write, by `storage.precedence`."""
        values = list(map(self._written.values, rows))
        inserts = [(self._written.statement(len(some)), list(chain.from_iterable(some))) for some in _parts(values)]
        return await self._database.do_in_sqlite(partial(_append, inserts, asked))


def _append(inserts: Sequence[Insert], asked: Asked, connection: sqlite3.Connection) -> Known:
    if len(inserts) == 1 and not asked:
        connection.execute(*inserts[0])
        return set()
    connection.execute("BEGIN IMMEDIATE")
    try:
        known = {
            (environment, found)
            for environment, ids in asked.items()
            for (found,) in connection.execute(_known_of("?", len(ids)), (*ids, environment))
        }
        for statement, values in inserts:
            connection.execute(statement, values)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return known


class PostgresAppender:
    """asyncpg's own connection, out of the pool that everybody shares."""

    def __init__(self, database: Database) -> None:
        """Nothing is opened yet."""
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- 3 MB, which SQLite's process need not hold

        self._database = database
        self._written = _Written.of(postgresql.dialect(), "$")  # type: ignore[no-untyped-call]  # SQLAlchemy's

    async def append(self, rows: Sequence[Values], asked: Asked) -> Known:
        """See `Appender`."""
        statement, values = self._written.statement(1), list(map(self._written.values, rows))
        async with self._database.asyncpg_connection() as connection:
            if not asked:
                # All of them or none, and two rounds to the server less.
                await connection.executemany(statement, values)
                return set()
            async with connection.transaction():
                known = {
                    (environment, found["id"])
                    for environment, ids in asked.items()
                    for found in await connection.fetch(_known_of("$", len(ids)), *ids, environment)
                }
                await connection.executemany(statement, values)
            return known


class _Written:
    """The statement that adds rows, and the values of one as the driver takes them."""

    def __init__(self, mark: str, binds: Sequence[Callable[[Any], Any] | None]) -> None:
        self._binds = tuple((at, bind) for at, bind in enumerate(binds) if bind is not None)
        self.statement = cache(partial(_insert, mark))

    @classmethod
    def of(cls, dialect: Dialect, mark: str) -> "_Written":
        types = [_TABLE.c[name].type for name in COLUMNS]
        return cls(mark, [one.dialect_impl(dialect).bind_processor(dialect) for one in types])

    def values(self, row: Values) -> list[Any]:
        values: list[Any] = list(_IN_ORDER(row))
        for at, bind in self._binds:
            values[at] = bind(values[at])
        return values


def _parts(rows: Sequence[R]) -> Iterable[Sequence[R]]:
    """The rows in their order, in few statements, of which there are few different ones."""
    while rows:
        count = len(rows) if len(rows) <= OF_ANY_SIZE else min(1 << (len(rows).bit_length() - 1), AT_ONCE)
        yield rows[:count]
        rows = rows[count:]


def _insert(mark: str, count: int) -> str:
    width = len(COLUMNS)
    rows = ", ".join(f"({_marks(mark, start, start + width)})" for start in range(0, count * width, width))
    return f"INSERT INTO {_TABLE.name} ({', '.join(COLUMNS)}) VALUES {rows} ON CONFLICT DO NOTHING"


def _known_of(mark: str, count: int) -> str:
    """The query for the leads that are known, of so many ids in one environment: one webhook of each is looked for."""
    ids = ", ".join(f"({_marks(mark, at, at + 1)})" for at in range(count))
    one = f"environment = {_marks(mark, count, count + 1)} AND lead_thumbtack_id = asked.id"
    return (
        f"WITH asked(id) AS (VALUES {ids}) SELECT id FROM asked WHERE EXISTS (SELECT 1 FROM {_TABLE.name} WHERE {one})"
    )


def _marks(mark: str, start: int, end: int) -> str:
    """The marks behind the one with the number `start`, up to that with `end`.

    SQLite's have no numbers: from Python 3.12 on its driver asks for the name of each that has one, which takes 150 times as
    long for 32 rows.
    """
    if mark == "?":
        return ", ".join("?" * (end - start))
    return ", ".join(f"{mark}{number}" for number in range(start + 1, end + 1))
