"""The tables of a new database, made at once as the models describe them: what all migrations together would leave.

Alembic, which would run those, stays in memory for as long as the process that loaded it serves: 10 MB.
"""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from storage.models.base import Row, migrations_metadata

ALEMBICS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic writes down the newest revision, as it makes it (alembic/ddl/impl.py)."""

UNSAID = {"postgresql": ("ALTER TABLE outbox ALTER turn_at SET DEFAULT now()",)}
"""What migrations did for one kind of database alone: a default in a model would hold for both.

It is for a version that does not know the column, where somebody goes back to that (0007 has the reason).
"""


def are_missing(connection: Connection) -> bool:
    """Whether nothing of ours is there, so that nobody's rows depend on how it is made.

    Where Alembic's table is there, or one of ours, it goes on from what it finds, also where nothing is written down
    in its own: that is how it leaves a database which somebody takes back to before the first revision.
    """
    return {ALEMBICS.name, *Row.metadata.tables}.isdisjoint(inspect(connection).get_table_names())


def make(connection: Connection, revision: str) -> None:
    """Make them in the transaction that has begun, and write down that they have this revision's shape."""
    metadata = Row.metadata if connection.dialect.name == "sqlite" else migrations_metadata()
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):  # a set: else their order would be chance
            connection.execute(CreateIndex(index))
    for statement in UNSAID.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
    connection.execute(CreateTable(ALEMBICS))
    connection.execute(ALEMBICS.insert().values(version_num=revision))
