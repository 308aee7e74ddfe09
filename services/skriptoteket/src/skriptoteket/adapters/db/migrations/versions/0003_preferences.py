"""Settings of each person, and instructions that were seen.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "user_settings",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("saved", sa.JSON(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_user_settings_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "subject", name=op.f("pk_user_settings")),
    )
    op.create_table(
        "seen_instructions",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("instructions_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_seen_instructions_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "subject", name=op.f("pk_seen_instructions")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("seen_instructions")
    op.drop_table("user_settings")
