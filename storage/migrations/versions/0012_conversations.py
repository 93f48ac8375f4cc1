"""conversations"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OUTBOUND = sa.text("direction = 'outbound'")
IN_THREAD = sa.text("thread_ts IS NOT NULL")
UNSETTLED = sa.text("settled_at IS NULL")


def upgrade() -> None:
    # To drop needs a table alone, to create only nobody who writes: who read meanwhile, and would write, would be in our way.
    op.drop_index("ix_message_lead_id", table_name="message")
    op.drop_index("ix_message_channel_thread_ts", table_name="message")
    op.drop_index("ix_lead_event_lead_id", table_name="lead_event")
    op.drop_index("ix_outbox_unsettled", table_name="outbox")  # since 0007 there are better ones
    op.create_index("ix_message_lead_id_sent_at", "message", ["lead_id", "sent_at"])
    op.create_index(
        "ix_message_outbound",
        "message",
        ["lead_id", "stored_at", "id"],
        sqlite_where=OUTBOUND,
        postgresql_where=OUTBOUND,
    )
    op.create_index(
        "ix_message_in_thread",
        "message",
        ["channel", "thread_ts"],
        sqlite_where=IN_THREAD,
        postgresql_where=IN_THREAD,
    )
    op.create_index("ix_lead_event_lead_id_at", "lead_event", ["lead_id", "at"])


def downgrade() -> None:
    op.create_index(
        "ix_outbox_unsettled",
        "outbox",
        ["channel", "priority", "id"],
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    )
    op.create_index("ix_lead_event_lead_id", "lead_event", ["lead_id"])
    op.drop_index("ix_lead_event_lead_id_at", table_name="lead_event")
    op.create_index("ix_message_channel_thread_ts", "message", ["channel", "thread_ts"])
    op.drop_index("ix_message_in_thread", table_name="message")
    op.drop_index("ix_message_outbound", table_name="message")
    op.create_index("ix_message_lead_id", "message", ["lead_id"])
    op.drop_index("ix_message_lead_id_sent_at", table_name="message")
