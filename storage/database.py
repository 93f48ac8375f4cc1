"""The database: one place that opens connections, begins transactions and wakes who waits for a commit.

On PostgreSQL a commit wakes other processes too: the transaction notifies them (see `storage.listening`).

SQLite (measured, see docs/decisions): WAL and synchronous=FULL, so that what was acknowledged survives a power cut; BEGIN
IMMEDIATE, because a transaction that reads first and then writes fails at once when it was begun otherwise; one
writing connection, because several of them wait for each other's locks instead of for a queue.
"""

import asyncio
import secrets
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, bindparam, event, func, make_url, select
from sqlalchemy.exc import DisconnectionError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from storage import one_hop, transaction
from storage.brief import Brief
from storage.precedence import Precedence
from storage.transaction import HERE, refuse_broken

T = TypeVar("T")

Transaction = transaction.Transaction
"""What `Database.transaction()` gives: handed to the functions of this package, never used directly by others."""

StorageError = SQLAlchemyError
"""What the functions of this package raise when the database cannot do as asked."""

BUSY_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT = 10
COMMAND_TIMEOUT = 30
"""Seconds after which a PostgreSQL server that does not answer counts as gone."""

GOODBYE = 2
"""Seconds that it gets to let go of a connection."""

ALTERING = 0x636F726B
"""The number of the PostgreSQL lock under which one replica alters the tables while others wait."""

LOCK_WITHIN = "3s"
"""How long PostgreSQL waits there for a table that others use: everybody else who comes to it waits behind us."""

NUDGES = "corkboard"
"""PostgreSQL's channel on which processes tell each other what they committed: `TOPIC WHO`."""

NOTIFY = select(func.pg_notify(NUDGES, bindparam("nudge")))

LOOK_WHEN_TOLD = 15.0
"""Seconds after which is looked unasked while other processes tell us what they commit: one may have died before it could."""

KEPT_STATEMENTS = 512
"""How many statements a connection to SQLite keeps as it understood them: we have more than the 128 of the driver."""

READERS_CACHE_KB = 512
"""What each connection that only reads may keep of the file: a quarter of SQLite's own measure. The system keeps it too."""

AS_HANDED_OUT = frozenset({"postgres", "postgresql"})
"""How PostgreSQL's addresses begin in the panels of those who host it."""

WAKE, TELL = "wake", "tell"
KEPT, KNOWN = "kept", "known"
"""Of a transaction's `info`: objects that it holds, and those that it finds again by what they are called."""


def utcnow() -> datetime:
    """The clock of the program, an aware instant."""
    return datetime.now(UTC)


def address(url: str) -> URL:
    """An address as our drivers take it; `postgres://…?sslmode=…`, as hosts hand it out, means asyncpg here.

    Raises SQLAlchemyError or ValueError (a port that is no number, an option that asyncpg does not have).
    """
    parts = make_url(url)
    if parts.drivername not in AS_HANDED_OUT:
        return parts
    if unknown := parts.query.keys() - {"sslmode", "ssl", "host", "port"}:
        raise ValueError(f"asyncpg has no option {', '.join(sorted(unknown))}")
    query = {"ssl" if name == "sslmode" else name: value for name, value in parts.query.items()}
    return parts.set(drivername="postgresql+asyncpg", query=query)


def is_usable(url: str) -> bool:
    """Whether this is an address that `Database` takes."""
    try:
        parts = address(url)
    except (SQLAlchemyError, ValueError):
        return False
    if parts.drivername == "sqlite+aiosqlite":
        return bool(parts.database) and parts.database != ":memory:" and parts.host is None
    return parts.drivername == "postgresql+asyncpg"


class Database:
    """Connections to SQLite or PostgreSQL. Nothing is opened before the first transaction."""

    def __init__(self, url: str) -> None:
        """Take a SQLAlchemy address, `sqlite+aiosqlite:///FILE`, `postgresql+asyncpg://HOST/NAME` or `postgres://HOST/NAME`."""
        self.url = address(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer = self._sqlite(pool_size=1, max_overflow=0) if self.is_sqlite else self._postgresql()
        # Which of those that read was used last is used next: what it keeps of the file, the others need not keep too.
        readers = {"pool_size": 4, "max_overflow": 0, "pool_use_lifo": True}
        self._reader = self._sqlite(writes=False, **readers) if self.is_sqlite else self._writer
        self._brief = Brief(self._writer)
        self._waiting: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self.who = secrets.token_hex(4)
        self.is_told = False
        self.precedence = Precedence(exclusive=self.is_sqlite)

    def _sqlite(self, *, writes: bool = True, **pool: Any) -> AsyncEngine:
        how: dict[str, Any] = {
            "factory": _SqliteConnection,
            "cached_statements": KEPT_STATEMENTS,
            "isolation_level": None,  # the driver must not begin transactions by itself
        }
        engine = create_async_engine(self.url, connect_args=how, hide_parameters=True, **pool)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine.sync_engine, "do_connect", one_hop.connected)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite if writes else _prepare_sqlite_reader)
        event.listen(engine.sync_engine, "begin", lambda connection: _begin(connection, begin))
        return engine

    def _postgresql(self) -> AsyncEngine:
        patience = {"timeout": CONNECT_TIMEOUT, "command_timeout": COMMAND_TIMEOUT}
        engine = create_async_engine(
            self.url, connect_args=patience, hide_parameters=True, pool_size=10, max_overflow=0
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine

    @property
    def file(self) -> Path | None:
        """The SQLite file, None on PostgreSQL."""
        return Path(self.url.database or "").absolute() if self.is_sqlite else None

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes."""
        return self._writer

    async def do_in_sqlite(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it with the connection that writes, as SQLite's own driver knows it, in that one's thread.

        Whoever asks has the turn to write, and does all that is to be done in one go: one change of threads, and no transaction
        left open. It is begun again where another process has the lock. Raises what `work` does, or StorageError where there is
        no connection to be had.
        """
        return await self._brief.do(work)

    @asynccontextmanager
    async def asyncpg_connection(self) -> AsyncIterator[Any]:
        """A connection of PostgreSQL's own driver (asyncpg), out of the pool.

        One that comes back within a transaction (the server did not take the ROLLBACK either) would break whoever gets it
        next, for SQLAlchemy knows nothing of what the driver was told: it is thrown away.
        """
        async with self._writer.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                yield driver
            finally:
                if driver.is_in_transaction():
                    await connection.invalidate()

    @asynccontextmanager
    async def kept_asyncpg_connection(self) -> AsyncIterator[Any]:
        """The same for whoever keeps it for good: it is none of the pool's."""
        async with self._writer.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await connection.run_sync(lambda sync: sync.detach())
            try:
                yield driver
            finally:
                with suppress(Exception):  # it is gone either way, and whoever was cancelled must not go on for it
                    await driver.close(timeout=GOODBYE)

    def on_commit(self, topic: str, wake: Callable[[], None]) -> None:
        """Call `wake` after each commit that touched `topic` (see `touch`)."""
        self._waiting[topic].append(wake)

    @property
    def topics(self) -> set[str]:
        """What somebody waits for here."""
        return set(self._waiting)

    def wake(self, topics: set[str]) -> None:
        """Wake who waits for these topics: something was committed."""
        for topic in topics:
            for wake in self._waiting.get(topic, ()):
                wake()

    def nudge(self, topic: str) -> str:
        """What other processes are told of a commit that touched `topic`."""
        return f"{topic} {self.who}"

    def patience(self, seconds: float) -> float:
        """How long to wait before looking unasked: `seconds`, or longer while other processes tell us what they commit."""
        return max(seconds, LOOK_WHEN_TOLD) if self.is_told else seconds

    def transaction(self, *, brief: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """One transaction, committed when the block ends and rolled back when it raises. Inner code never commits.

        `brief`: each of its statements finds its few rows by an index; SQLite then takes a fifth of the time for them
        (see `storage.one_hop`), but a long one would stop the event loop. `at_length` ends that.
        """
        return self._briefly() if brief and self.is_sqlite else self._at_length()

    @asynccontextmanager
    async def _briefly(self) -> AsyncIterator[Transaction]:
        async with self.precedence.turn(), self._brief.transaction() as tx:
            yield tx
        self.wake(tx.info.get(WAKE, set()))

    @asynccontextmanager
    async def _at_length(self) -> AsyncIterator[Transaction]:
        async with Transaction(self._writer, expire_on_commit=False) as session:
            async with self.precedence.turn():
                await self._brief.let_go()
                async with session.begin():
                    yield session
                    refuse_broken(session)
                    for topic in session.info.get(TELL, ()) if not self.is_sqlite else ():
                        await session.execute(NOTIFY, {"nudge": self.nudge(topic)})
            self.wake(session.info.get(WAKE, set()))

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[AsyncConnection]:
        """The connection that writes, in no transaction yet, for whoever needs more than one of those."""
        async with self.precedence.turn():
            await self._brief.let_go()
            async with self._writer.connect() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that only reads, beside the writer."""
        async with Transaction(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def altering(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may change the tables, on a connection of its own; replicas wait for each other.

        SQLite changes a table by building it anew and dropping the old one: foreign keys are checked at the end.
        """
        hidden: dict[str, Any] = {"hide_parameters": True, "poolclass": NullPool}
        engine = self._altering_sqlite() if self.is_sqlite else create_async_engine(self.url, **hidden)
        try:
            async with engine.begin() as connection:
                if not self.is_sqlite:
                    await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ALTERING})")
                    await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WITHIN}'")
                yield connection
                if self.is_sqlite:
                    await _check_foreign_keys(connection)
        finally:
            await engine.dispose()

    def _altering_sqlite(self) -> AsyncEngine:
        engine = self._sqlite(poolclass=NullPool)
        event.listen(engine.sync_engine, "connect", _forget_foreign_keys)
        return engine

    async def copy(self, suffix: str) -> Path | None:
        """Copy a SQLite file beside itself before something risky; None on PostgreSQL or where there is no file yet."""
        if self.file is None or not self.file.exists():
            return None
        target = self.file.with_name(f"{self.file.name}.{suffix}")
        await asyncio.to_thread(_copy_sqlite, self.file, target)
        return target

    async def close(self) -> None:
        """Close all connections; nobody works with one any more."""
        await self._brief.close()
        await self._writer.dispose()
        await self._reader.dispose()


def at_length(tx: Transaction) -> None:
    """What follows in this transaction may take its time."""
    driver = tx.info.pop(HERE, None)
    if driver is not None:
        driver.here = False


async def afresh(tx: Transaction) -> None:
    """What follows in this transaction sees rows as they stand, as one of its own would, and no objects that were read before."""
    await tx.flush()
    for held in (KEPT, KNOWN):
        tx.info.pop(held, None)
    tx.sync_session.expunge_all()


def keep(tx: Transaction, *rows: Any) -> None:
    """Hold rows until this transaction ends: it forgets one that nobody holds, and would ask for it again."""
    tx.info.setdefault(KEPT, []).extend(rows)


def touch(tx: Transaction, topic: str, *, only_here: bool = False) -> None:
    """Remember that this transaction, once committed, shall wake who waits for `topic`, in other processes too.

    `only_here`: in this one alone, which goes on with it.
    """
    tx.info.setdefault(WAKE, set()).add(topic)
    if not only_here:
        tx.info.setdefault(TELL, set()).add(topic)


def looked_at(tx: Transaction, topic: str) -> None:
    """Whoever waits for `topic` need not look: this transaction did, as the last thing that it does there."""
    tx.info.get(WAKE, set()).discard(topic)


def _begin(connection: Any, begin: str) -> None:
    if not connection.connection.driver_connection.in_transaction:  # a brief one has begun by itself
        connection.exec_driver_sql(begin)


class _SqliteConnection(sqlite3.Connection):
    """Rolls back before it closes: a cancelled task may leave a cursor behind that would keep the lock for a while."""

    def close(self) -> None:
        try:
            if self.in_transaction:
                self.rollback()
        finally:
            super().close()


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        _pragma(connection, pragma)


def _prepare_sqlite_reader(connection: Any, _record: ConnectionPoolEntry) -> None:
    """The file keeps the mode in which it is written; to change it would need the file alone, which a reader need not wait for."""
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "query_only=ON",
        f"cache_size=-{READERS_CACHE_KB}",
    ):
        _pragma(connection, pragma)


def _forget_foreign_keys(connection: Any, _record: ConnectionPoolEntry) -> None:
    _pragma(connection, "foreign_keys=OFF")  # cannot be changed inside a transaction


def _pragma(connection: Any, pragma: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _check_foreign_keys(connection: AsyncConnection) -> None:
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise IntegrityError("PRAGMA foreign_key_check", None, ValueError(f"rows without what they refer to: {tables}"))


def _refuse_closed(connection: Any, _record: ConnectionPoolEntry, _proxy: object) -> None:
    """A server that was restarted said goodbye: take another connection, without asking each time over the wire."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _copy_sqlite(source: Path, target: Path) -> None:
    target.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copied:
        original.backup(copied)
    shutil.copymode(source, target)
