"""unsteady"""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presence", sa.Column("unsteady_since", columns.UtcDateTime(), nullable=True))
    op.add_column("presence", sa.Column("unsteady_at", columns.UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("presence", "unsteady_at")
    op.drop_column("presence", "unsteady_since")
