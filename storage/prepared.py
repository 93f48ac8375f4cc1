"""Statements that are asked for each webhook and each delivery: understood once, and then handed to the driver as they are.

SQLAlchemy takes several times as long to have a statement executed as SQLite or asyncpg take for it. Within a brief transaction
on SQLite (see `storage.brief`), and in any that has begun on PostgreSQL, a prepared one goes to the driver without that; else
it is executed as any other. The types of the columns turn values into what the database keeps, and back, either way.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.types import TypeEngine

from storage.database import Transaction
from storage.one_hop import DIALECT, told
from storage.transaction import ASKED, HERE

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Process = Callable[[Any], Any]
Key = TypeVar("Key", str, int)

_ASYNCPG = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy's


class Prepared:
    """One statement. Its values are handed over by the names of its parameters; none may be a list of unknown length.

    It knows nothing of rows that the transaction holds as objects: what it changes of them, they do not show. What was
    changed of them before is written first, as before any other statement.
    """

    def __init__(self, statement: Statement) -> None:
        """`statement`: columns, not whole objects; built once, with parameters (`bindparam`) for what differs."""
        self.statement = statement

    async def all(self, tx: Transaction, **values: Any) -> Sequence[Any]:
        """The rows, each of them a tuple of columns. Raises StorageError."""
        here = tx.info.get(HERE)
        if here is not None:
            await _written(tx)
            rows = _executed(here.here_cursor(), self._sqlite, values).fetchall()
            await here.give_way()
            return self._sqlite.read(rows)
        server = _server(tx)
        if server is None:
            return (await tx.execute(self.statement, values)).all()
        await _written(tx)
        asked = self._postgresql
        try:
            return asked.read(await server.fetch(asked.text, *asked.arguments(values)))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _told(error, server) from error

    async def first(self, tx: Transaction, **values: Any) -> Any:
        """The first row, or None."""
        found = await self.all(tx, **values)
        return found[0] if found else None

    async def scalar(self, tx: Transaction, **values: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.all(tx, **values)
        return found[0][0] if found else None

    async def changed(self, tx: Transaction, **values: Any) -> int:
        """Execute what gives no rows; how many it changed. Raises StorageError."""
        here = tx.info.get(HERE)
        if here is not None:
            await _written(tx)
            count = _executed(here.here_cursor(), self._sqlite, values).rowcount
            await here.give_way()
            return count
        server = _server(tx)
        if server is None:
            result: Any = await tx.execute(self.statement, values)
            return int(result.rowcount)
        await _written(tx)
        asked = self._postgresql
        try:
            status: str = await server.execute(asked.text, *asked.arguments(values))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _told(error, server) from error
        return int(status.rpartition(" ")[2])

    @cached_property
    def _sqlite(self) -> "_Text":
        """Understood when it is first asked for: the other database may not even have the like of it."""
        return _Text(self.statement, DIALECT)

    @cached_property
    def _postgresql(self) -> "_Text":
        return _Text(self.statement, _ASYNCPG)


def _server(tx: Transaction) -> Any:
    """Asyncpg's connection, where SQLAlchemy has begun this transaction on it, which it does with the first statement."""
    session = tx.sync_session
    if ASKED not in tx.info or session.get_bind().dialect.name == "sqlite":
        return None
    driver = session.connection().connection.driver_connection
    return driver if driver is not None and driver.is_in_transaction() else None


async def _written(tx: Transaction) -> None:
    """Write what was changed of the objects that a transaction holds."""
    session = tx.sync_session
    if session.new or session.dirty or session.deleted:
        await tx.flush()


class _Text:
    """A statement as a driver takes it."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.text: str = compiled.string
        named = {compiled.bind_names[bind]: bind for bind in compiled.binds.values()}
        kinds = {name: bind.type.dialect_impl(dialect) for name, bind in named.items()}
        self._fixed = {name: bind.effective_value for name, bind in named.items() if not bind.required}
        self._binds = _processes({name: kind.bind_processor(dialect) for name, kind in kinds.items()})
        self._order: Sequence[str] = compiled.positiontup
        columns = list(statement.exported_columns)
        names = [column.key or "" for column in columns]
        self._made: Callable[[Sequence[Any]], Any] = namedtuple("Found", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 -- made here
        types: list[TypeEngine[Any]] = [column.type.dialect_impl(dialect) for column in columns]
        self._results = _processes({at: kind.result_processor(dialect, None) for at, kind in enumerate(types)})

    def arguments(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """What the driver is given, in its order."""
        given = {**self._fixed, **values}
        for name, process in self._binds:
            given[name] = process(given[name])
        return [given[name] for name in self._order]

    def read(self, rows: Sequence[Any]) -> Sequence[Any]:
        """What it gave, by the names of the columns."""
        return list(map(self._made, map(self._read, rows) if self._results else rows))

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        read = list(row)
        for at, process in self._results:
            read[at] = process(read[at])
        return read


def _processes(found: Mapping[Key, Process | None]) -> Sequence[tuple[Key, Process]]:
    return [(key, process) for key, process in found.items() if process is not None]


def _executed(cursor: sqlite3.Cursor, asked: _Text, values: Mapping[str, Any]) -> sqlite3.Cursor:
    try:
        return cursor.execute(asked.text, asked.arguments(values))
    except sqlite3.Error as error:
        raise told(error) from error


def _told(error: Exception, server: Any) -> DBAPIError:
    """An error of asyncpg as SQLAlchemy tells it, and whether its connection is gone."""
    kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
    return kind(None, None, error, hide_parameters=True, connection_invalidated=server.is_closed())
