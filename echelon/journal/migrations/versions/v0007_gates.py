"""Gates can be found across runs, those that still wait for an answer without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index of gates; no journal has any yet."""
    op.create_table(
        "gates",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("open", sa.Integer, nullable=False),
    )
    op.create_index("ix_gates_run", "gates", ["run_id"])
    is_open = sa.text("open = 1")  # few are
    op.create_index("ix_gates_open", "gates", ["open"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("gates")
