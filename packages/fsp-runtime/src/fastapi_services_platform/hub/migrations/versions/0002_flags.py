"""Create the values of feature flags that nodes share, with their history."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Make the tables and the version that every node looks at."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    version = op.create_table(
        "flag_version",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", number, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])
    op.create_table(
        "flag_values",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "flag_changes",
        sa.Column("version", number, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_flag_changes_name", "flag_changes", ["name"])


def downgrade() -> None:
    """Remove them; flags are again what their file says."""
    for table in ("flag_changes", "flag_values", "flag_version"):
        op.drop_table(table)
