"""Whether an error tells that the database cannot do anything now, or that something wrong was asked of it."""

import sqlite3
import sys

from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    }
)  # fmt: skip
"""What SQLite says of its file and who else holds it (sqlite.org/rescode.html), without what it adds to that."""

_CLASSES = frozenset({"08", "40", "53", "57", "58"})
"""How PostgreSQL's codes begin: connection, begin again, resources, operator, system (its Appendix A)."""

_READ_ONLY, _LOCK_NOT_AVAILABLE, _DEADLOCK = "25006", "55P03", "40P01"

_GONE = (PoolTimeout, DisconnectionError, OSError, TimeoutError)


def is_away(error: BaseException) -> bool:
    """Whether the same may succeed later, since the database was gone, locked, full or asked to begin again.

    The drivers' own errors tell it as well as SQLAlchemy's around them.
    """
    if isinstance(error, _GONE) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return True
    if _is_of_asyncpg(error):
        return True
    told = getattr(error, "orig", error)
    if isinstance(told, OSError):
        return True
    code = getattr(told, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in _SQLITE
    state = _sqlstate(error)
    return state[:2] in _CLASSES or state in (_READ_ONLY, _LOCK_NOT_AVAILABLE)


def is_in_use(error: BaseException) -> bool:
    """Whether PostgreSQL gave up a table that others use: they were in our way, or we in theirs."""
    return _sqlstate(error) in (_LOCK_NOT_AVAILABLE, _DEADLOCK)


def _is_of_asyncpg(error: BaseException) -> bool:
    """Whether PostgreSQL's driver says it. Where nobody loaded it, as on SQLite, nothing is its own."""
    asyncpg = sys.modules.get("asyncpg")
    return asyncpg is not None and isinstance(error, (asyncpg.PostgresConnectionError, asyncpg.InterfaceError))


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
