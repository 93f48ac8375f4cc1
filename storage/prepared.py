"""Statements that are asked for each webhook and each delivery: understood once, and then handed to the driver as they are.

SQLAlchemy takes four times as long to have a statement executed as SQLite takes for it. Within a brief transaction on SQLite
(see `storage.one_hop`) a prepared one goes to the driver without that; anywhere else it is executed as any other. The types
of the columns turn values into what the database keeps, and back, either way.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Delete, Insert, Select, Update
from sqlalchemy.types import TypeEngine

from storage.database import Transaction
from storage.one_hop import DIALECT, told
from storage.transaction import HERE

Statement = Select[Any] | Insert | Update | Delete
Process = Callable[[Any], Any]
Key = TypeVar("Key", str, int)


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
        driver = tx.info.get(HERE)
        if driver is None:
            return (await tx.execute(self.statement, values)).all()
        await _written(tx)
        found = self._here.rows(driver.here_cursor(), values)
        await driver.give_way()
        return found

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
        driver = tx.info.get(HERE)
        if driver is None:
            result: Any = await tx.execute(self.statement, values)
            return int(result.rowcount)
        await _written(tx)
        count = self._here.changed(driver.here_cursor(), values)
        await driver.give_way()
        return count

    @cached_property
    def _here(self) -> "_Here":
        """Understood when it is first asked for: PostgreSQL may not even have the like of it."""
        return _Here(self.statement)


async def _written(tx: Transaction) -> None:
    """Write what was changed of the objects that a transaction holds."""
    session = tx.sync_session
    if session.new or session.dirty or session.deleted:
        await tx.flush()


class _Here:
    """A statement as the driver takes it."""

    def __init__(self, statement: Statement) -> None:
        compiled: Any = statement.compile(dialect=DIALECT)
        self._text: str = compiled.string
        named = {compiled.bind_names[bind]: bind for bind in compiled.binds.values()}
        self._fixed = {name: bind.effective_value for name, bind in named.items() if not bind.required}
        self._binds = _processes({name: _kept(bind.type).bind_processor(DIALECT) for name, bind in named.items()})
        self._order: Sequence[str] = compiled.positiontup
        columns = list(statement.exported_columns)
        names = [column.key or "" for column in columns]
        self._made: Callable[[Sequence[Any]], Any] = namedtuple("Found", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 -- made here
        types = [_kept(column.type).result_processor(DIALECT, None) for column in columns]
        self._results = _processes(dict(enumerate(types)))

    def rows(self, cursor: sqlite3.Cursor, values: dict[str, Any]) -> Sequence[Any]:
        found = self._executed(cursor, values).fetchall()
        if self._results:
            found = [self._read(row) for row in found]
        return list(map(self._made, found))

    def changed(self, cursor: sqlite3.Cursor, values: dict[str, Any]) -> int:
        return self._executed(cursor, values).rowcount

    def _executed(self, cursor: sqlite3.Cursor, values: dict[str, Any]) -> sqlite3.Cursor:
        given = {**self._fixed, **values}
        for name, process in self._binds:
            given[name] = process(given[name])
        try:
            return cursor.execute(self._text, [given[name] for name in self._order])
        except sqlite3.Error as error:  # as whoever calls knows errors of the database
            raise told(error) from error

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        read = list(row)
        for at, process in self._results:
            read[at] = process(read[at])
        return read


def _kept(of: TypeEngine[Any]) -> TypeEngine[Any]:
    """A type as this database keeps it."""
    return of.dialect_impl(DIALECT)


def _processes(found: Mapping[Key, Process | None]) -> Sequence[tuple[Key, Process]]:
    return [(key, process) for key, process in found.items() if process is not None]
