"""Column types that keep promises the databases do not keep by themselves."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Text, literal_column
from sqlalchemy.types import TypeDecorator, TypeEngine

LENGTH = len("2026-09-01 12:00:00.000000")
"""Of an instant as SQLAlchemy has SQLite keep it, without the time zone, which is UTC."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; always gives back UTC (SQLite forgets time zones, so UTC is stored there)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC; a naive one is a mistake of ours, raised as ValueError."""
        if value is None:
            return None
        value = _in_utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Give the instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """The same for SQLite at once, in a third of the time: a message hands over thirty instants."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Likewise, in a ninth of it."""
        return _of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r}: only instants are stored")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    return None if value is None else _text(_in_utc(value))


@lru_cache(maxsize=16)  # a message hands over the same five again and again
def _text(instant: datetime) -> str:
    """In UTC: where clocks are put back, a zone has two instants that Python says are equal."""
    return instant.isoformat(" ", "microseconds")[:LENGTH]


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Json(TypeDecorator[Any]):
    """JSON data: JSONB on PostgreSQL, text on SQLite. None is SQL NULL."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own JSON type."""
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 -- 3 MB, which SQLite's process need not hold

            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))


def word(value: StrEnum) -> ColumnElement[Any]:
    """One of our own words, written into the statement instead of being handed over with it.

    For what the condition of a partial index is about (a state, a kind): SQLite plans a statement anew each time it is
    given such a value, because the index might serve for it, which takes ten times as long as executing it.
    """
    return literal_column(f"'{value.value}'", Text)
