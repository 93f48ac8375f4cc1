"""latest leads"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_lead_business_id", table_name="lead")
    op.create_index("ix_lead_business_id_received_at", "lead", ["business_id", "received_at"])


def downgrade() -> None:
    op.create_index("ix_lead_business_id", "lead", ["business_id"])
    op.drop_index("ix_lead_business_id_received_at", table_name="lead")
