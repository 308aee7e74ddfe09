"""Settings of the running platform, outside logins, directory people and runs."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value_enc", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "linked_logins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("last_used_at", tables.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_linked_logins_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linked_logins")),
        sa.UniqueConstraint("issuer", "external_id", name=op.f("uq_linked_logins_issuer_external_id")),
    )
    op.create_index(op.f("ix_linked_logins_subject_id"), "linked_logins", ["subject_id"])
    op.create_table(
        "directory_entries",
        sa.Column("directory", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("dn", sa.String(length=1000), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seen_at", tables.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_directory_entries_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("directory", "external_id", name=op.f("pk_directory_entries")),
    )
    op.create_index(op.f("ix_directory_entries_subject_id"), "directory_entries", ["subject_id"])
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("started_at", tables.Moment(), nullable=False),
        sa.Column("heartbeat_at", tables.Moment(), nullable=False),
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'done', 'refused', 'failed')", name=op.f("ck_sync_runs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    op.create_index(op.f("ix_sync_runs_source"), "sync_runs", ["source"])
    op.create_index(
        "uq_sync_runs_running",
        "sync_runs",
        ["source"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("sync_runs")
    op.drop_table("directory_entries")
    op.drop_table("linked_logins")
    op.drop_table("settings")
