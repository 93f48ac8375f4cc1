"""Rows that are added without an object of their class: to make one, and have it flushed, takes far longer than to write it."""

from typing import Any

from sqlalchemy import Table, bindparam, insert

from storage.models import Row
from storage.prepared import Prepared


def adding(row: type[Row], *given: str) -> Prepared:
    """Inserts a row of which these columns are given, by their names; gives its id. All others are as its class has them."""
    values: dict[str, Any] = {name: bindparam(name) for name in given}
    for name, field in row.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if name not in values and default is not None:
            values[name] = default
    table: Table = row.__table__  # type: ignore[attr-defined]  # SQLModel does not tell of it
    statement = insert(row).values(**values).returning(table.c.id)
    return Prepared(statement.execution_options(dml_strategy="raw"))
