"""The first journal: runs, steps, exceptions, concerns, dispositions, events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("runs", "steps", "exceptions", "concerns", "dispositions", "events")


def _number() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("number", number, primary_key=True, autoincrement=True)


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.String, sa.ForeignKey("runs.run_id"), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [
        sa.Column(name, sa.Text if name in {"record", "payload", "inputs"} else sa.String, nullable=False)
        for name in names
    ]


def upgrade() -> None:
    """Create every table and index."""
    _runs_and_steps()
    _concerns()
    op.create_table("exceptions", _number(), _run_id(), *_texts("record"))
    op.create_index("ix_exceptions_run", "exceptions", ["run_id"])
    op.create_table("events", _number(), _run_id(), *_texts("kind", "subject", "payload", "at"))
    op.create_index("ix_events_run", "events", ["run_id", "kind"])


def _runs_and_steps() -> None:
    op.create_table(
        "runs",
        _number(),
        *_texts("run_id", "job", "source", "inputs", "inputs_digest", "status", "started"),
        sa.Column("finished", sa.String),
        sa.Column("report", sa.String),
        sa.Column("plan", sa.Text),
        sa.UniqueConstraint("run_id"),
    )
    op.create_index("ix_runs_job_inputs", "runs", ["job", "inputs_digest", "status"])
    op.create_table("steps", _number(), _run_id(), *_texts("key", "phase", "node", "status", "record"))
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


def _concerns() -> None:
    op.create_table("concerns", _number(), *_texts("id"), _run_id(), *_texts("record"), sa.UniqueConstraint("id"))
    op.create_index("ix_concerns_run", "concerns", ["run_id"])
    concern = sa.Column("concern_id", sa.String, sa.ForeignKey("concerns.id"), primary_key=True)
    op.create_table("dispositions", concern, *_texts("record"))


def downgrade() -> None:
    """Drop every table."""
    for table in reversed(TABLES):
        op.drop_table(table)
