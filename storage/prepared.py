"""Statements that are asked for each webhook and each delivery: understood once, and then handed to the driver as they are.

SQLAlchemy takes several times as long to have a statement executed as SQLite or asyncpg take for it. Within a brief transaction
on SQLite (see `storage.brief`), and in any that has begun on PostgreSQL, a prepared one goes to the driver without that; else
it is executed as any other. The types of the columns turn values into what the database keeps, and back, either way.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Delete, Insert, Update
from sqlalchemy.exc import NoResultFound

from storage.database import Transaction
from storage.one_hop import DIALECT, told
from storage.texts import Statement, Text
from storage.transaction import ASKED, HERE, refuse_broken

if TYPE_CHECKING:
    from storage.by_asyncpg import ByAsyncpg

Found = TypeVar("Found")


class Prepared:
    """One statement. Its values are handed over by the names of its parameters; none may be a list of unknown length.

    It knows nothing of rows that the transaction holds as objects: what it changes of them, they do not show. What was
    changed of them before is written first, as before any other statement.
    """

    def __init__(self, statement: Statement) -> None:
        """`statement`: columns, not whole objects; built once, with parameters (`bindparam`) for what differs."""
        if isinstance(statement, Insert):
            statement = statement.execution_options(dml_strategy="raw")  # its values are columns, not objects
        elif isinstance(statement, Update | Delete):
            statement = statement.execution_options(synchronize_session=False)
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
        return await self._postgresql.rows(server, values)

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
        return await self._postgresql.changed(server, values)

    @cached_property
    def _sqlite(self) -> Text:
        """Understood when it is first asked for: the other database may not even have the like of it."""
        return Text(self.statement, DIALECT)

    @cached_property
    def _postgresql(self) -> "ByAsyncpg":
        from storage.by_asyncpg import ByAsyncpg  # noqa: PLC0415 -- 5 MB, which SQLite's process need not hold

        return ByAsyncpg(self.statement)


def there(found: Found | None) -> Found:
    """A row that is there; raises StorageError where it was erased since, and all of it is to be done again."""
    if found is None:
        raise NoResultFound("it was there, and is not any more")
    return found


def _server(tx: Transaction) -> Any:
    """Asyncpg's connection, where SQLAlchemy has begun this transaction on it, which it does with the first statement."""
    session = tx.sync_session
    if ASKED not in tx.info or session.get_bind().dialect.name == "sqlite":
        return None
    driver = session.connection().connection.driver_connection
    return driver if driver is not None and driver.is_in_transaction() else None


async def _written(tx: Transaction) -> None:
    """Write what was changed of the objects that a transaction holds; its session begins with the first of them."""
    session = tx.sync_session
    if not session.in_transaction():
        return
    refuse_broken(tx)
    if session.new or session.dirty or session.deleted:
        await tx.flush()


def _executed(cursor: sqlite3.Cursor, asked: Text, values: Mapping[str, Any]) -> sqlite3.Cursor:
    try:
        return cursor.execute(asked.text, asked.arguments(values))
    except sqlite3.Error as error:
        raise told(error) from error
