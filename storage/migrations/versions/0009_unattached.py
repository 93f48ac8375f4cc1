"""unattached"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNATTACHED = sa.text("lead_id IS NULL")
NAME = "ix_message_unattached"


def upgrade() -> None:
    op.create_index(NAME, "message", ["channel", "thread_ts"], sqlite_where=UNATTACHED, postgresql_where=UNATTACHED)


def downgrade() -> None:
    op.drop_index(NAME, table_name="message")
