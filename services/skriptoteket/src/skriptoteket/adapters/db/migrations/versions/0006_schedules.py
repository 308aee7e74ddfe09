"""Schedules, and what each due time came to.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from skriptoteket.adapters.db.columns import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("cron", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("input_values", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("max_runs", sa.Integer(), nullable=True),
        sa.Column("runs_started", sa.Integer(), nullable=False),
        sa.Column("next_due_at", UtcDateTime(), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("pending_run_id", sa.Uuid(), nullable=True),
        sa.Column("pause", sa.String(length=16), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_schedules_tool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    for column in ("owner", "next_due_at", "pending_run_id"):
        op.create_index(op.f(f"ix_schedules_{column}"), "schedules", [column])
    op.create_table(
        "schedule_occurrences",
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("handled_at", UtcDateTime(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name=op.f("fk_schedule_occurrences_schedule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "due_at", name=op.f("pk_schedule_occurrences")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("schedule_occurrences")
    op.drop_table("schedules")
