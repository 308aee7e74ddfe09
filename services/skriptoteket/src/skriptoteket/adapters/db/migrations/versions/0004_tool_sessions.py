"""Sessions of tools that go on after their first answer.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from skriptoteket.adapters.db.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tool_sessions",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("context", sa.String(length=60), nullable=False),
        sa.Column("offer", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("pending_run_id", sa.Uuid(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_tool_sessions_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "subject", "context", name=op.f("pk_tool_sessions")),
    )
    op.create_index(op.f("ix_tool_sessions_last_used_at"), "tool_sessions", ["last_used_at"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("tool_sessions")
