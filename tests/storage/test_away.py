"""Which errors tell that the database is away, the drivers' own and SQLAlchemy's around them."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.away import is_away


def of_sqlite(code):
    error = sqlite3.OperationalError(str(code))
    error.sqlite_errorcode = code
    return error


AWAY = [
    asyncpg.DiskFullError("x"),
    asyncpg.TooManyConnectionsError("x"),
    asyncpg.AdminShutdownError("x"),
    asyncpg.ReadOnlySQLTransactionError("x"),
    asyncpg.DeadlockDetectedError("x"),
    asyncpg.LockNotAvailableError("x"),
    asyncpg.ConnectionDoesNotExistError("x"),
    of_sqlite(sqlite3.SQLITE_BUSY),
    of_sqlite(sqlite3.SQLITE_FULL),
    ConnectionResetError(),
]
HERE = [asyncpg.UniqueViolationError("x"), of_sqlite(sqlite3.SQLITE_ERROR), sqlite3.IntegrityError("x"), KeyError("x")]


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_it_is_away(error):
    assert is_away(error)
    assert is_away(DBAPIError("x", None, error))


@pytest.mark.parametrize("error", HERE, ids=repr)
def test_it_is_here(error):
    assert not is_away(error)
    assert not is_away(DBAPIError("x", None, error))


def test_a_pool_that_gives_no_connection_is_away():
    assert is_away(PoolTimeout("x"))
