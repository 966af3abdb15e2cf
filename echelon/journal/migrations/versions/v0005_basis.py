"""A completed step can be found by what it was made from, so that a later run can keep it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a step was made from; steps on record stay without, so that they are not kept."""
    op.add_column("steps", sa.Column("basis", sa.String))
    known = sa.text("basis IS NOT NULL")  # most steps have none: they cost nothing here
    op.create_index("ix_steps_basis", "steps", ["basis"], sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_steps_basis", "steps")
    op.drop_column("steps", "basis")
