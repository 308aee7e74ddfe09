"""Create the last runs of jobs, which nodes share."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "job_runs",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("node", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    """Remove it; each process knows its own runs only."""
    op.drop_table("job_runs")
