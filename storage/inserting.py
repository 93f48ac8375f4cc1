"""INSERTs that may meet a row that is there already: each database has its own, and only that of ours is loaded."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy.dialects import sqlite

from storage.transaction import Transaction

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")

Insert = Callable[[Any], "sqlite.Insert | postgresql.Insert"]
"""From a table to its INSERT; the two share no base that knows conflicts."""


def by(tx: Transaction) -> Insert:
    """The INSERT of this transaction's database."""
    return _of(tx.get_bind().dialect.name)


class ByDialect(Generic[T]):
    """A statement for each kind of database; made when it is first asked for, and kept."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        """`make` gets the INSERT of a kind."""
        self._made = cache(lambda dialect: make(_of(dialect)))

    def of(self, tx: Transaction) -> T:
        """The one for this transaction's database."""
        return self._made(tx.get_bind().dialect.name)


def _of(dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- 3 MB, which SQLite's process need not hold

    return postgresql.insert
