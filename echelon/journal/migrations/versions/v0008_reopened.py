"""The end of a concern can be taken back, and stays on record (O7)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where dispositions are found that were taken back; none was before."""
    op.create_table(
        "reopenings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("concern_id", sa.String, sa.ForeignKey("concerns.id"), nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("disposed_seq", sa.Integer, nullable=False),
    )
    op.create_index("ix_reopenings_run", "reopenings", ["run_id"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("reopenings")
