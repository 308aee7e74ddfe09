"""Who follows runs live, over all web processes.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stream_leases",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "place", name=op.f("pk_stream_leases")),
    )
    op.create_index(op.f("ix_stream_leases_stream"), "stream_leases", ["stream"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("stream_leases")
