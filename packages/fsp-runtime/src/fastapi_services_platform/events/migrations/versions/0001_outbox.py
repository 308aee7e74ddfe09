"""Create the outbox of a capability."""

import sqlalchemy as sa
from alembic import op

from fastapi_services_platform.events.tables import tables_of

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make events, subscriptions and deliveries, named after the capability whose database this is."""
    owner = _owner()
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        f"{owner}_events",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("correlation_id", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{owner}_events_at", f"{owner}_events", ["at"])
    op.create_table(
        f"{owner}_event_subscriptions",
        sa.Column("handler", sa.String(200), primary_key=True),
        sa.Column("seen", number, nullable=False),
    )
    op.create_table(
        f"{owner}_event_deliveries",
        sa.Column("handler", sa.String(200), primary_key=True),
        sa.Column("sequence", number, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("dead", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
    )
    order = ["handler", "key", "sequence"]
    op.create_index(f"ix_{owner}_event_deliveries_order", f"{owner}_event_deliveries", order)


def downgrade() -> None:
    """Remove the outbox; what was not delivered is lost."""
    tables = tables_of(_owner())
    for table in (tables.deliveries, tables.subscriptions, tables.events):
        op.drop_table(table.name)


def _owner() -> str:
    return str(op.get_context().opts["fsp_owner"])
