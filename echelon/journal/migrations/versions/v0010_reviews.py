"""What runs taught is found by run: the plan of the next run of a job rests on it (X10)."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where it is found; no run was looked back on before."""
    op.create_table(
        "reviews",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("reviews")
