"""What is asked of the databases, by SQLAlchemy and, where `storage.prepared` spares its detour, without it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from storage.one_hop import HereCursor

Hear = Callable[[str], None]


@contextmanager
def hearing(hear: Hear, *, by: Any = Engine) -> Iterator[None]:
    """Tell each statement of this process before it is executed, but the inbox's own. `by`: of one engine."""

    def by_sqlalchemy(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not isinstance(cursor, HereCursor):
            hear(statement)

    def here(cursor: HereCursor, sql: str, parameters: Any = ()) -> HereCursor:
        hear(sql)
        return original(cursor, sql, parameters)

    original, HereCursor.execute = HereCursor.execute, here  # type: ignore[assignment]  # for a while
    event.listen(by, "before_cursor_execute", by_sqlalchemy)
    try:
        yield
    finally:
        event.remove(by, "before_cursor_execute", by_sqlalchemy)
        HereCursor.execute = original  # type: ignore[method-assign]
