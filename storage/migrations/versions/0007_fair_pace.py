"""fair pace"""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

POSTS = sa.text("settled_at IS NULL AND pace IS NULL")
CALLS = sa.text("settled_at IS NULL AND pace IS NOT NULL")
POSTS_INDEX, CALLS_INDEX = "ix_outbox_unsettled_posts", "ix_outbox_unsettled_calls"
TURN = ["priority", "turn_at", "id"]


def upgrade() -> None:
    op.add_column("outbox", sa.Column("pace", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("turn_at", columns.UtcDateTime(timezone=True), nullable=True))
    op.add_column("lane", sa.Column("free_us", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("UPDATE outbox SET turn_at = created_at WHERE settled_at IS NULL")
    if (
        op.get_bind().dialect.name == "postgresql"
    ):  # the version before writes beside this one, and NULL would come last
        op.execute("ALTER TABLE outbox ALTER turn_at SET DEFAULT now()")
    op.create_index(POSTS_INDEX, "outbox", ["channel", *TURN], sqlite_where=POSTS, postgresql_where=POSTS)
    op.create_index(CALLS_INDEX, "outbox", ["pace", *TURN], sqlite_where=CALLS, postgresql_where=CALLS)


def downgrade() -> None:
    for name in (CALLS_INDEX, POSTS_INDEX):
        op.drop_index(name, table_name="outbox")
    op.drop_column("lane", "free_us")
    op.drop_column("outbox", "turn_at")
    op.drop_column("outbox", "pace")
