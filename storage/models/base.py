"""What all rows are made of: their metadata, the kinds of their columns, and the environment they are of."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Text, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_WHERE = "where"
"""What an index keeps its condition under."""

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only for INTEGER


class Row(SQLModel):
    """Base of all rows: one metadata with names for every constraint, so that migrations can drop them.

    Nothing is validated on its way into a row, so that pydantic need not build at every start what would do it.
    """

    model_config = {"defer_build": True}
    metadata = MetaData(naming_convention=NAMING)


def id_() -> Any:
    """Our own id, counted up by the database."""
    return Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))


def text_(*, nullable: bool = True, **kwargs: Any) -> Any:
    """Text of any length, usually optional."""
    if nullable:
        kwargs.setdefault("default", None)
    return Field(sa_type=Text, nullable=nullable, **kwargs)


def at_(*, nullable: bool = True, **kwargs: Any) -> Any:
    """An instant, usually optional."""
    if nullable:
        kwargs.setdefault("default", None)
    return Field(sa_type=UtcDateTime, nullable=nullable, **kwargs)


def list_() -> Any:
    """A JSON list, empty unless set."""
    return Field(default_factory=list, sa_type=Json, nullable=False)


def dict_(**kwargs: Any) -> Any:
    """A JSON object, empty unless set."""
    return Field(default_factory=dict, sa_type=Json, nullable=False, **kwargs)


def unsettled_(name: str, *columns: str) -> Index:
    """An index over the work that is still to do, however much is behind us."""
    return only_(name, "settled_at IS NULL", *columns)


def only_(name: str, where: str, *columns: str) -> Index:
    """An index over some of the rows; a query uses it where it says the same condition, word for word."""
    return Index(name, *columns, sqlite_where=text(where), info={_WHERE: where})


def migrations_metadata() -> MetaData:
    """The metadata of all rows, with what indexes say to PostgreSQL alone.

    To say it where they are defined would load PostgreSQL's dialect at every start, on SQLite too: 3 MB.
    """
    for table in Row.metadata.tables.values():
        for index in table.indexes:
            if _WHERE in index.info:
                index.dialect_kwargs["postgresql_where"] = text(index.info[_WHERE])
    return Row.metadata


def ref_(target: str, *, nullable: bool = True) -> Any:
    """Another row's id, with an index, usually optional."""
    if nullable:
        return Field(default=None, sa_type=BigId, foreign_key=target, index=True)
    return Field(sa_type=BigId, foreign_key=target, index=True, nullable=False)


class Environment(StrEnum):
    """Which Thumbtack an event came from; the same id in another environment is another lead."""

    PRODUCTION = "production"
    STAGING = "staging"
