"""Prepared statements on PostgreSQL, by asyncpg itself. Loaded with it: SQLite's process holds nothing of either."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.texts import Statement, Text

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy's

_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)


class ByAsyncpg:
    """One statement, on a connection of asyncpg's that is within a transaction. It raises what SQLAlchemy would."""

    def __init__(self, statement: Statement) -> None:
        """Understand it, once."""
        self._text = Text(statement, _DIALECT)

    async def rows(self, server: Any, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows."""
        try:
            found = await server.fetch(self._text.text, *self._text.arguments(values))
        except _ERRORS as error:
            raise _told(error, server) from error
        return self._text.read(found)

    async def changed(self, server: Any, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        try:
            status: str = await server.execute(self._text.text, *self._text.arguments(values))
        except _ERRORS as error:
            raise _told(error, server) from error
        return int(status.rpartition(" ")[2])


def _told(error: Exception, server: Any) -> DBAPIError:
    """An error as SQLAlchemy tells it, and whether the connection is gone."""
    kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
    return kind(None, None, error, hide_parameters=True, connection_invalidated=server.is_closed())
