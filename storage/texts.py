"""A statement as the databases' own drivers take it: text, and values in an order; and its rows by the names of their columns."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.types import TypeEngine

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Process = Callable[[Any], Any]
Key = TypeVar("Key", str, int)


class Text:
    """A statement as a driver takes it."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        """Understand it, once; values and columns are kept as the dialect's types say."""
        compiled: Any = statement.compile(dialect=dialect)
        self.text: str = compiled.string
        binds = {compiled.bind_names[bind]: bind for bind in compiled.binds.values()}
        kept = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        own = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
        self._own = {name: value if (process := kept[name]) is None else process(value) for name, value in own.items()}
        self._binds = _processes({name: process for name, process in kept.items() if name not in own})
        self._order: Sequence[str] = compiled.positiontup
        columns = list(statement.exported_columns)
        names = [column.key or "" for column in columns]
        self._made: Callable[[Sequence[Any]], Any] = namedtuple("Found", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 -- made here
        types: list[TypeEngine[Any]] = [column.type.dialect_impl(dialect) for column in columns]
        self._results = _processes({at: kind.result_processor(dialect, None) for at, kind in enumerate(types)})

    def arguments(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """What the driver is given, in its order: the statement's own values, which stand in it, and these."""
        given = {**self._own, **values}
        for name, process in self._binds:
            given[name] = process(given[name])
        return [given[name] for name in self._order]

    def read(self, rows: Sequence[Any]) -> Sequence[Any]:
        """What it gave, by the names of the columns."""
        return list(map(self._made, map(self._read, rows) if self._results else rows))

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        read = list(row)
        for at, process in self._results:
            read[at] = process(read[at])
        return read


def _processes(found: Mapping[Key, Process | None]) -> Sequence[tuple[Key, Process]]:
    return [(key, process) for key, process in found.items() if process is not None]
