"""What all runs of a job spent of a day or a month, and what they reserve (F10)."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what standing budgets need; runs on record are counted when their job first asks."""
    op.add_column("runs", sa.Column("counted", sa.Integer))
    op.create_index("ix_runs_job_counted", "runs", ["job", "counted"])
    op.create_table(
        "standing_spent",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("token", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("job", sa.String, nullable=False),
        *_amounts(""),
        sa.Column("unpriced_tokens", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_standing_spent_job", "standing_spent", ["job", "slot"])
    op.create_table(
        "standing_claims",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("part", sa.String, primary_key=True),
        sa.Column("token", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("under", sa.Integer, nullable=False),
        sa.Column("job", sa.String, nullable=False),
        *_amounts("held_"),
        *_amounts("used_"),
    )
    op.create_index("ix_standing_claims_job", "standing_claims", ["job"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("standing_claims")
    op.drop_table("standing_spent")
    op.drop_index("ix_runs_job_counted", "runs")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("counted")


def _amounts(prefix: str) -> list[sa.Column[float]]:
    return [
        sa.Column(f"{prefix}tokens", sa.BigInteger, nullable=False),
        sa.Column(f"{prefix}calls", sa.BigInteger, nullable=False),
        sa.Column(f"{prefix}cost", sa.Float, nullable=False),
    ]
