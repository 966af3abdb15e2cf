"""A run that was begun inside another one knows which, and by which task of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a run needs for that; runs on record stay without."""
    op.add_column("runs", sa.Column("parent_run_id", sa.String))
    op.add_column("runs", sa.Column("parent_task", sa.String))
    op.create_index("ix_runs_parent", "runs", ["parent_run_id"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_runs_parent", "runs")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("parent_task")
        runs.drop_column("parent_run_id")
