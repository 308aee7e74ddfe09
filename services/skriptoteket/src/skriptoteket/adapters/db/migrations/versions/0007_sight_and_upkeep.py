"""Shared, removed and opened runs; drained workers; upkeep; files of tool sessions.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from skriptoteket.adapters.db.columns import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make tables and columns."""
    op.add_column("runs", sa.Column("shared_at", UtcDateTime(), nullable=True))
    op.add_column("runs", sa.Column("deleted_at", UtcDateTime(), nullable=True))
    op.add_column("workers", sa.Column("drain_asked_at", UtcDateTime(), nullable=True))
    op.add_column("tool_sessions", sa.Column("files", sa.JSON(), nullable=True))
    op.create_table(
        "run_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(length=200), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_accesses_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_accesses")),
    )
    op.create_index(op.f("ix_run_accesses_run_id"), "run_accesses", ["run_id"])
    op.create_table(
        "upkeep",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("succeeded_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_upkeep")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("upkeep")
    op.drop_table("run_accesses")
    for table, column in (
        ("tool_sessions", "files"),
        ("workers", "drain_asked_at"),
        ("runs", "deleted_at"),
        ("runs", "shared_at"),
    ):
        op.drop_column(table, column)
