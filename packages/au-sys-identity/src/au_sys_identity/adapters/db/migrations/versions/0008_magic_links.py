"""Which browser asked for a link, and what the first step of a sign-in was."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    with op.batch_alter_table("one_time_tokens") as table:
        table.add_column(sa.Column("flow_hash", sa.LargeBinary(length=32), nullable=True))
        table.add_column(sa.Column("asked_from", sa.String(length=200), server_default="", nullable=False))
    with op.batch_alter_table("mfa_challenges") as table:
        table.add_column(sa.Column("first", sa.String(length=16), server_default="pwd", nullable=False))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("mfa_challenges") as table:
        table.drop_column("first")
    with op.batch_alter_table("one_time_tokens") as table:
        table.drop_column("asked_from")
        table.drop_column("flow_hash")
