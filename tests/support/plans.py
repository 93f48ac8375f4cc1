"""How a database goes about its work: many rows made in one statement, and the plans of what was asked of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import event

from storage.database import Database, Transaction

_SERIES = {
    "sqlite": "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :rows) SELECT x FROM n)",
    "postgresql": "generate_series(1, :rows) AS n(x)",
}
_PLANNED = ("SELECT", "UPDATE", "DELETE", "WITH")


def series(database: Database) -> str:
    """What to select x from: the numbers 1 to :rows."""
    return _SERIES["sqlite" if database.is_sqlite else "postgresql"]


async def plan(database: Database, work: Callable[[Transaction], Awaitable[Any]]) -> list[str]:
    """How the database would do each statement of some work, a line per step."""
    asked = []
    engine = database.engine.sync_engine

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 -- SQLAlchemy's signature
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    async with database.transaction() as tx:
        await work(tx)
    event.remove(engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    found = []
    async with database.transaction() as tx:
        connection = await tx.connection()
        for statement, parameters in asked:
            if statement.lstrip().startswith(_PLANNED) and "advisory" not in statement:
                rows = (await connection.exec_driver_sql(explain + statement, parameters)).all()
                found += [str(row[-1]) for row in rows]
    return found
