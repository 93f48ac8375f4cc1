"""SQLite for SQLAlchemy with at most one change of threads a statement: aiosqlite makes four of each that gives rows.

Between two of them stand the event loop and Python's own lock, so that a transaction of thirty statements took most of its
time changing threads. Everything else (the thread of a connection, what a cancelled task leaves to it) is aiosqlite's.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Self

import aiosqlite
from aiosqlite.core import _STOP_RUNNING_SENTINEL  # what its thread ends at; it has no public name
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util.concurrency import await_

FETCHED_AT_ONCE = 64
"""aiosqlite's own number; nothing here iterates over a cursor."""

DIALECT = sqlite.dialect()
"""Of the library's own driver, which is what executes statements in the end."""

GIVES_WAY_AFTER = 0.001
"""Seconds for which statements that are executed `here` may keep the event loop: each takes a tenth of that."""


class OneHopCursor(aiosqlite.Cursor):
    """Executes and fetches in one go: SQLAlchemy takes all rows at once anyway."""

    def __init__(self, connection: "OneHopConnection", cursor: sqlite3.Cursor) -> None:
        """Nothing was executed yet."""
        super().__init__(connection, cursor)
        self._of = connection
        self._rows: Iterable[Any] = ()
        self._under_way = False

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "OneHopCursor":
        """Execute a statement in the connection's thread, and keep its rows for `fetchall`."""
        self._under_way = True
        self._rows = await self._execute(_rows, self._cursor, sql, parameters or ())  # type: ignore[no-untyped-call]  # aiosqlite's
        self._under_way = False  # not where we were cancelled: the thread may still be at it
        return self

    async def fetchall(self) -> Iterable[Any]:
        """The rows, without another change of threads."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Close it: here, where the thread has no part in it any more."""
        if self._under_way:
            await super().close()
        else:
            self._cursor.close()


class HereCursor(sqlite3.Cursor):
    """The driver's own, for what is executed `here`: all rows are fetched before the next statement may change them."""

    _rows: deque[Any]

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        """Execute a statement, and keep its rows."""
        super().execute(sql, parameters)
        self._rows = deque(super().fetchall() if self.description else ())
        return self

    def fetchall(self) -> list[Any]:
        """The rows that were not given yet."""
        rows, self._rows = self._rows, deque()
        return list(rows)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """So many of them."""
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    def fetchone(self) -> Any:
        """The next row."""
        return self._rows.popleft() if self._rows else None


class OneHopConnection(aiosqlite.Connection):
    """A connection whose cursors are made in the thread of whoever asks: that asks SQLite nothing.

    `here`: statements are executed there too. For those of a transaction that holds the lock already, so that none waits
    for it, and that each find their few rows by an index. BEGIN and COMMIT, which wait for locks and the disk, never are.
    """

    here = False
    _gave_way = 0.0
    _asked = _done = 0
    """Of the thread. Where both are the same it does nothing, nor will it."""

    async def give_way(self) -> None:
        """Let whoever waits for the event loop go on between two statements, where that was long ago."""
        if monotonic() - self._gave_way > GIVES_WAY_AFTER:
            await asyncio.sleep(0)
            self._gave_way = monotonic()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._asked += 1
        made = super()._execute(self._counted, fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # aiosqlite's
        return await made

    def _counted(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return work(*arguments, **named)
        finally:
            self._done += 1

    async def begin(self) -> None:
        """Take the lock to write, in the thread: it may be waited for."""
        await self._execute(self._conn.execute, "BEGIN IMMEDIATE")

    async def rollback(self) -> None:
        """Roll back, unless there is nothing: SQLAlchemy asks for it after every commit too."""
        if self._asked != self._done or self._conn.in_transaction:
            await super().rollback()

    def stop(self) -> None:
        """Let the thread close the file and end, and tell nobody: the event loop may be closed by then.

        aiosqlite's own has the thread report to a future, which nobody awaits where a connection is thrown away.
        """
        self._running = False
        self._tx.put_nowait((None, self._closed_and_ended))

    def _closed_and_ended(self) -> object:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        return _STOP_RUNNING_SENTINEL

    def here_cursor(self) -> HereCursor:
        """A cursor for what is executed `here`."""
        return self._conn.cursor(HereCursor)

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # what SQLAlchemy enters; aiosqlite's also can be awaited
        """A cursor."""
        return OneHopCursor(self, self._conn.cursor())


def connect(*where: Any, **how: Any) -> OneHopConnection:
    """What `sqlite3.connect` takes (`check_same_thread=False` among it); to be awaited, as aiosqlite's own."""
    connection = OneHopConnection(partial(sqlite3.connect, *where, **how), FETCHED_AT_ONCE)
    connection._thread.daemon = True  # noqa: SLF001 -- as SQLAlchemy does to aiosqlite's own: none may keep us from ending
    return connection


class Adapted(AsyncAdapt_aiosqlite_connection):
    """A connection as SQLAlchemy sees it. While statements are executed `here`, it is given the driver's own cursors.

    Whoever has them executed here begins and ends the transaction too (`storage.brief`): that it ended is only taken note of.
    """

    __slots__ = ()

    def commit(self) -> None:
        """See `AsyncAdapt_aiosqlite_connection.commit`."""
        if not self._is_here:
            super().commit()

    def rollback(self) -> None:
        """See `AsyncAdapt_aiosqlite_connection.rollback`."""
        if not self._is_here:
            super().rollback()

    @property
    def _is_here(self) -> bool:
        driver: Any = self._connection
        return bool(driver.here)

    def cursor(self, server_side: bool = False) -> Any:  # noqa: FBT001, FBT002 -- SQLAlchemy's signature
        """A cursor."""
        driver: Any = self._connection
        return driver.here_cursor() if driver.here else super().cursor(server_side)


def connected(dialect: Any, _record: Any, where: Sequence[Any], how: dict[str, Any]) -> Adapted:
    """A connection, as SQLAlchemy's event `do_connect` asks for one."""
    made: Any = await_(connect(*where, **how))
    return Adapted(dialect.dbapi, made)


def told(error: sqlite3.Error) -> DBAPIError:
    """An error of the driver as SQLAlchemy tells it, and as whoever asks a database of ours knows it."""
    made: Any = DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True, dialect=DIALECT)
    raised: DBAPIError = made
    return raised


def _rows(cursor: sqlite3.Cursor, sql: str, parameters: Iterable[Any]) -> Iterable[Any]:
    cursor.execute(sql, parameters)  # type: ignore[arg-type]  # SQLAlchemy hands a sequence
    return cursor.fetchall() if cursor.description else ()
