"""Who holds a run, what was begun before it was done, and which flow run of Prefect started it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("number", number, primary_key=True, autoincrement=True)


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.String, sa.ForeignKey("runs.run_id"), nullable=False)


def upgrade() -> None:
    """Add sessions and claims, and what a run needs for them."""
    op.add_column("runs", sa.Column("token", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("flow_run_id", sa.String))
    op.create_index("ix_runs_flow_run", "runs", ["flow_run_id"])
    op.create_table(
        "sessions",
        _number(),
        _run_id(),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("expires", sa.Float[float](), nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("ended", sa.String),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ux_sessions_token", "sessions", ["run_id", "token"], unique=True)
    op.create_table(
        "claims",
        _number(),
        _run_id(),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ux_claims_attempt", "claims", ["run_id", "key", "attempt"], unique=True)


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("claims")
    op.drop_table("sessions")
    op.drop_index("ix_runs_flow_run", "runs")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("flow_run_id")
        runs.drop_column("token")
