"""Invitations, and notices where people are signed in."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=80), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("invited_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.Column("accepted_at", tables.Moment(), nullable=True),
        sa.Column("revoked_at", tables.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_invitations_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    place = ["organization_id", "email_canonical"]
    op.create_index("ix_invitations_organization_id_email_canonical", "invitations", place, unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.String(length=80), nullable=False),
        sa.Column("body_enc", sa.LargeBinary(), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.Column("read_at", tables.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_notices_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_subject_id_read_at", "notices", ["subject_id", "read_at"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    for name in ("notices", "invitations"):
        op.drop_table(name)
