"""quiet absences"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presence", sa.Column("reply_mode", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("presence", "reply_mode")
