"""What was changed of a job behind a diagnosis is found by run: its next runs go by it (G)."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where it is found; nothing was changed before."""
    op.create_table(
        "adjustments",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("adjustments")
