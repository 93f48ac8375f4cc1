"""What one process of the suite keeps from test to test, for a test pays for the program's start as users do not: each time."""

import gc
from collections import defaultdict
from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import database

_compiled: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
"""Statements as SQL, by the kind of database."""


def keep_statements() -> None:
    """A statement is made into SQL once for all databases of a kind; it was a quarter of all the suite's work.

    SQLAlchemy keeps it by its dialect, of which each engine has one of its own: all of a kind are the same here.
    """
    for kind in (SQLiteDialect_aiosqlite, PGDialect_asyncpg):
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign, assignment] # see above
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign] # same
    create = database.create_async_engine

    def created(*args: Any, **kwargs: Any) -> AsyncEngine:
        engine = create(*args, **kwargs)
        engine.update_execution_options(compiled_cache=_compiled[engine.dialect.name])
        return engine

    database.create_async_engine = created  # type: ignore[attr-defined] # a seam that the program itself has no use for


def look_seldom_for_garbage() -> None:
    """What is loaded stays: Python need not look through it again and again, and seldom through all that the tests made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)
