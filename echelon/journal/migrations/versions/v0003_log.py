"""The journal becomes a log: what happened in a run is one sequence of events, and the other tables are its indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the log, and indexes that point into it."""
    for table in ("dispositions", "concerns", "claims", "exceptions", "steps", "events"):
        op.drop_table(table)
    _create_log()
    _create_indexes()
    _change_runs_and_sessions()


def _create_log() -> None:
    op.create_table(
        "events",
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq"),
    )


def _create_indexes() -> None:
    op.create_table(
        "steps",
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("node", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq"),
    )
    op.create_index("ix_steps_key", "steps", ["key"])
    op.create_index("ix_steps_run_phase", "steps", ["run_id", "phase", "node"])
    # Completed is final (C2), also between processes that look at the same time.
    completed = sa.text("status = 'completed'")
    op.create_index(
        "ux_steps_completed",
        "steps",
        ["run_id", "key"],
        unique=True,
        sqlite_where=completed,
        postgresql_where=completed,
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "concerns",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_concerns_run", "concerns", ["run_id"])
    op.create_table(
        "dispositions",
        sa.Column("concern_id", sa.String, sa.ForeignKey("concerns.id"), primary_key=True),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
    )


def _change_runs_and_sessions() -> None:
    op.add_column("runs", sa.Column("seq", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("plan_seq", sa.Integer))
    op.drop_column("runs", "plan")
    op.add_column("sessions", sa.Column("part", sa.String, nullable=False, server_default=""))
    op.drop_index("ux_sessions_token", "sessions")
    op.create_index("ux_sessions_token", "sessions", ["run_id", "part", "token"], unique=True)


def downgrade() -> None:
    """Refuse: an older version could not read what was written since."""
    raise NotImplementedError("a journal that became a log cannot be taken back; keep a copy of it before an upgrade")
