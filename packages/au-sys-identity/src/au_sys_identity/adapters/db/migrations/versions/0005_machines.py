"""Service accounts, the edges to who answers for them, and keys that are rotated."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    op.create_table(
        "machines",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_machines_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_machines")),
    )
    op.create_table(
        "edges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=True),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_edges_ends")),
        sa.ForeignKeyConstraint(["source_id"], ["subjects.id"], name=op.f("fk_edges_source_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_id"], ["subjects.id"], name=op.f("fk_edges_target_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edges")),
        sa.UniqueConstraint("source_id", "relation", "target_id", name=op.f("uq_edges_source_id_relation_target_id")),
    )
    op.create_index(op.f("ix_edges_target_id_relation_source_id"), "edges", ["target_id", "relation", "source_id"])
    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("created_by", sa.String(length=200), nullable=False, server_default=""))
        batch.add_column(sa.Column("overlap_until", tables.Moment(), nullable=True))
        batch.add_column(sa.Column("superseded_by", sa.Uuid(), nullable=True))
        batch.create_unique_constraint(op.f("uq_api_keys_superseded_by"), ["superseded_by"])


def downgrade() -> None:
    """Take them away; machines go with their keys, which nobody could verify any more."""
    op.execute(sa.text("DELETE FROM api_keys WHERE owner_id IN (SELECT id FROM subjects WHERE kind = 'app')"))
    op.execute(sa.text("DELETE FROM subjects WHERE kind = 'app'"))
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_constraint(op.f("uq_api_keys_superseded_by"), type_="unique")
        batch.drop_column("superseded_by")
        batch.drop_column("overlap_until")
        batch.drop_column("created_by")
    op.drop_table("edges")
    op.drop_table("machines")
