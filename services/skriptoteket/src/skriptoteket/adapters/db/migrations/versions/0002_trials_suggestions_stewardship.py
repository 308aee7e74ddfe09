"""Snapshots of trials, suggestions with their decisions, and stewardship records.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from skriptoteket.adapters.db.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("professions", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("suggested_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("draft_tool_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index(op.f("ix_suggestions_status"), "suggestions", ["status"], unique=False)
    op.create_index(op.f("ix_suggestions_suggested_by"), "suggestions", ["suggested_by"], unique=False)
    op.create_table(
        "sandbox_snapshots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=False),
        sa.Column("entrypoint", sa.String(length=128), nullable=False),
        sa.Column("contract", sa.Integer(), nullable=False),
        sa.Column("environment", sa.String(length=100), nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("input_schema", sa.JSON(), nullable=False),
        sa.Column("settings_schema", sa.JSON(), nullable=False),
        sa.Column("usage_instructions", sa.Text(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("behaviour_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_sandbox_snapshots_tool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_snapshots")),
    )
    op.create_index(
        "ix_sandbox_snapshots_equal", "sandbox_snapshots", ["tool_id", "author", "behaviour_hash"], unique=False
    )
    op.create_table(
        "stewardship_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_stewardship_records_tool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stewardship_records")),
    )
    op.create_index(op.f("ix_stewardship_records_tool_id"), "stewardship_records", ["tool_id"], unique=False)
    op.create_table(
        "suggestion_decisions",
        sa.Column("suggestion_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("rationale", sa.String(length=4000), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("professions", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["suggestion_id"], ["suggestions.id"], name=op.f("fk_suggestion_decisions_suggestion_id")
        ),
        sa.PrimaryKeyConstraint("suggestion_id", name=op.f("pk_suggestion_decisions")),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("suggestion_decisions")
    op.drop_index(op.f("ix_stewardship_records_tool_id"), table_name="stewardship_records")
    op.drop_table("stewardship_records")
    op.drop_index("ix_sandbox_snapshots_equal", table_name="sandbox_snapshots")
    op.drop_table("sandbox_snapshots")
    op.drop_index(op.f("ix_suggestions_suggested_by"), table_name="suggestions")
    op.drop_index(op.f("ix_suggestions_status"), table_name="suggestions")
    op.drop_table("suggestions")
