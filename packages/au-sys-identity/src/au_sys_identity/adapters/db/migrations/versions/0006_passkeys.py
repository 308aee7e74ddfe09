"""Passkeys, and values that count once."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("transports", sa.String(length=200), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("last_used_at", tables.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_passkeys_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_subject_id"), "passkeys", ["subject_id"], unique=False)
    op.create_table(
        "used_values",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value_hash", name=op.f("pk_used_values")),
    )
    op.create_index(op.f("ix_used_values_expires_at"), "used_values", ["expires_at"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("used_values")
    op.drop_table("passkeys")
