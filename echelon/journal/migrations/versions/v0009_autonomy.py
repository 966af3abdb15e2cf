"""What was decided about results is found by run: the records of agents are kept across runs (X11)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where these decisions are found; none was made before."""
    op.create_table(
        "autonomy",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("autonomy")
