"""absences"""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "presence",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alive_at", columns.UtcDateTime(), nullable=False),
        sa.Column("back_at", columns.UtcDateTime(), nullable=True),
        sa.Column("missed_since", columns.UtcDateTime(), nullable=True),
        sa.Column("missed_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_presence")),
    )
    op.add_column("business", sa.Column("silence_told_at", columns.UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("business", schema=None) as batch_op:
        batch_op.drop_column("silence_told_at")
    op.drop_table("presence")
