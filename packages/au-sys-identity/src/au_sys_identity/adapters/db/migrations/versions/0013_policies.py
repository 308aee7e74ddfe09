"""Rules say when they end, where they came from and who made them; rules have a row of their own in the versions."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NEW = ("expires_at", "source", "created_at", "created_by")


def upgrade() -> None:
    """Add the columns, and the topic when nothing changed so far."""
    op.add_column("policies", sa.Column("expires_at", tables.Moment(), nullable=True))
    op.add_column("policies", sa.Column("source", sa.String(length=80), server_default="local", nullable=False))
    moment: sa.Column[object] = sa.Column(
        "created_at", tables.Moment(), server_default="2026-01-01 00:00:00", nullable=False
    )
    op.add_column("policies", moment)
    maker = sa.Column("created_by", sa.String(length=200), server_default="urn:au:system:identity", nullable=False)
    op.add_column("policies", maker)
    versions = sa.table("versions", sa.column("topic"), sa.column("version"))
    known = op.get_bind().execute(sa.select(versions.c.version).where(versions.c.topic == "access")).first()
    if known is None:
        op.get_bind().execute(sa.insert(versions).values(topic="access", version=1))


def downgrade() -> None:
    """Take the columns away."""
    with op.batch_alter_table("policies") as batch:
        for name in _NEW:
            batch.drop_column(name)
