"""What alembic runs: our connection, our metadata. Batch mode, because SQLite cannot alter a column."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage.models.base import migrations_metadata


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Name our column types with their import."""
    module = type(item).__module__
    if kind == "type" and module == "storage.columns":
        autogen_context.imports.add("from storage import columns")
        return f"columns.{type(item).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=migrations_metadata(),
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
