"""Rows that are added without an object of their class: to make one, and have it flushed, takes far longer than to write it."""

from typing import Any

from sqlalchemy import Table, bindparam, insert, null

from storage.models import Row
from storage.prepared import Prepared


def defaults(row: type[Row]) -> dict[str, Any]:
    """What the columns of a row are where its class says so. Lists among it are not to be changed in place, as in any row."""
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in row.model_fields.items()
        if not field.is_required()
    }


def adding(row: type[Row], *given: str) -> Prepared:
    """Inserts a row of which these columns are given, by their names; gives its id. All others are as its class has them."""
    values = {name: null() if default is None else default for name, default in defaults(row).items() if name != "id"}
    values |= {name: bindparam(name) for name in given}
    table: Table = row.__table__  # type: ignore[attr-defined]  # SQLModel does not tell of it
    return Prepared(insert(row).values(**values).returning(table.c.id))
