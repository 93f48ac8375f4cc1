"""SQLite for SQLAlchemy with at most one change of threads a statement: aiosqlite makes four of each that gives rows.

Between two of them stand the event loop and Python's own lock, so that a transaction of thirty statements took most of its
time changing threads. The thread of a connection is ours too (`storage.own_thread`): aiosqlite's does more for each of them, and
holds what it did last, rows and all, until it is asked again. Everything else is aiosqlite's.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Self, TypeVar

import aiosqlite
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util.concurrency import await_

from storage.own_thread import OwnThread

T = TypeVar("T")

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
    for it, and that each find their few rows by an index. COMMIT, which waits for the disk, never is.
    """

    here = False
    _patience = 0
    """Milliseconds."""
    _gave_way = 0.0

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        """Nothing is opened before it is awaited."""
        super().__init__(connector, FETCHED_AT_ONCE)
        del self._thread, self._tx  # nobody must wait for a thread that never runs
        self._own = OwnThread("database")

    def __await__(self) -> Generator[Any, None, Self]:
        """Open it."""
        return self._opened().__await__()

    async def _opened(self) -> Self:
        try:
            await self._own.do(self._open)
        except BaseException:
            self.stop()
            raise
        return self

    def _open(self) -> None:
        self._connection = self._connector()

    async def give_way(self) -> None:
        """Let whoever waits for the event loop go on between two statements, where that was long ago."""
        if monotonic() - self._gave_way > GIVES_WAY_AFTER:
            await asyncio.sleep(0)
            self._gave_way = monotonic()

    def hurry(self) -> None:
        """Wait for nobody's lock from now on, but in the thread: by `begin` and by `do`."""
        (self._patience,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._wait_for_locks(0)

    def be_patient(self) -> None:
        """Wait for locks wherever they are met, as before `hurry`."""
        self._wait_for_locks(self._patience)

    def _wait_for_locks(self, milliseconds: int) -> None:
        self._conn.execute(f"PRAGMA busy_timeout={milliseconds}").close()

    def do(self, work: Callable[[sqlite3.Connection], T]) -> Coroutine[Any, Any, T]:
        """While in a `hurry`: do it in the thread, with the driver's own connection; once more where a lock was in its way."""
        return self._execute(self._patiently, work)

    def _patiently(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._conn)
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if self._conn.in_transaction or code & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        self._wait_for_locks(self._patience)
        try:
            return work(self._conn)
        finally:
            self._wait_for_locks(0)

    def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")  # in aiosqlite's words, by which SQLAlchemy knows it
        return self._own.do(partial(fn, *args, **kwargs))

    async def begin(self) -> None:
        """While in a `hurry`: take the lock to write, at once where it is free, else in the thread, for it is waited for."""
        try:
            _begin(self._conn)
        except sqlite3.OperationalError:
            await self.do(_begin)

    async def rollback(self) -> None:
        """Roll back, unless there is nothing: SQLAlchemy asks for it after every commit too."""
        if not self._own.is_idle or self._conn.in_transaction:
            await super().rollback()

    def stop(self) -> None:
        """Let the thread close the file and end, and tell nobody: the event loop may be closed by then.

        aiosqlite's own has the thread report to a future, which nobody awaits where a connection is thrown away.
        """
        self._running = False
        self._own.end(self._closed)

    def _closed(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def here_cursor(self) -> HereCursor:
        """A cursor for what is executed `here`."""
        return self._conn.cursor(HereCursor)

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # what SQLAlchemy enters; aiosqlite's also can be awaited
        """A cursor."""
        return OneHopCursor(self, self._conn.cursor())


def connect(*where: Any, **how: Any) -> OneHopConnection:
    """What `sqlite3.connect` takes (`check_same_thread=False` among it); to be awaited, as aiosqlite's own."""
    return OneHopConnection(partial(sqlite3.connect, *where, **how))


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


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")


def _rows(cursor: sqlite3.Cursor, sql: str, parameters: Iterable[Any]) -> Iterable[Any]:
    cursor.execute(sql, parameters)  # type: ignore[arg-type]  # SQLAlchemy hands a sequence
    return cursor.fetchall() if cursor.description else ()
