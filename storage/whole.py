"""Rows that prepared statements read or add, as the objects that their classes make: SQLAlchemy takes several times as long.

The session holds such an object as one that it has read itself: what is changed of it is written with the next flush.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Mapper, class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from storage.database import Transaction
from storage.models import Row
from storage.prepared import Prepared

AnyRow = TypeVar("AnyRow", bound=Row)


class Whole(Generic[AnyRow]):
    """All columns of a class of rows."""

    def __init__(self, row: type[AnyRow]) -> None:
        """`row`: a class whose rows have an `id`."""
        self.row = row
        self._mapper: Mapper[AnyRow] = class_mapper(row)
        self.names: Sequence[str] = [column.key for column in self._mapper.column_attrs]
        self.columns: Sequence[Any] = [getattr(row, name) for name in self.names]
        self._id = self.names.index("id")
        self._by_id = Prepared(select(*self.columns).where(self.columns[self._id] == bindparam("of")))

    async def get(self, tx: Transaction, row_id: int) -> AnyRow | None:
        """The object of the row with this id, as the session's own `get` gives it; None where there is none."""
        held = self._held(tx, row_id)
        if held is not None:
            return held
        found = await self._by_id.first(tx, of=row_id)
        return None if found is None else self.of(tx, found)

    def of(self, tx: Transaction, values: Sequence[Any]) -> AnyRow:
        """The object of the row with these values, in the order of `columns`; as it is, where the session holds it already."""
        held = self._held(tx, values[self._id])
        if held is not None:
            return held
        made: AnyRow = self._mapper.class_manager.new_instance()
        made.__dict__.update(zip(self.names, values, strict=True))
        make_transient_to_detached(made)
        tx.sync_session.add(made)
        return made

    def _held(self, tx: Transaction, row_id: int) -> AnyRow | None:
        held: AnyRow | None = tx.sync_session.identity_map.get(self._mapper.identity_key_from_primary_key((row_id,)))
        return held

    def named(self, tx: Transaction, values: Mapping[str, Any]) -> AnyRow:
        """Likewise, with the values by their names."""
        return self.of(tx, [values[name] for name in self.names])

    def any_of(self, tx: Transaction, values: Sequence[Any]) -> AnyRow | None:
        """Likewise; None where the values are those of a join that found nothing."""
        return None if values[self._id] is None else self.of(tx, values)


def parts(values: Sequence[Any], *of: Whole[Any]) -> Iterator[Sequence[Any]]:
    """The values of a row that joins several, taken apart."""
    at = 0
    for whole in of:
        yield values[at : at + len(whole.names)]
        at += len(whole.names)


def written(row: Row, values: Mapping[str, Any]) -> None:
    """Let an object show what a statement wrote: that need not be written once more."""
    for name, value in values.items():
        set_committed_value(row, name, value)
