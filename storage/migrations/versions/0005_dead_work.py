"""dead work"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dead = sa.text("state = 'dead'")
    for table in ("inbox", "outbox"):
        op.create_index(f"ix_{table}_dead", table, ["id"], sqlite_where=dead, postgresql_where=dead)


def downgrade() -> None:
    for table in ("outbox", "inbox"):
        op.drop_index(f"ix_{table}_dead", table_name=table)
