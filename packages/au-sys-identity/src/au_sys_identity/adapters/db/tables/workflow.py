"""Access that somebody asked for."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

access_requests = Table(
    "access_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("requester_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("wanted", Text, nullable=False),
    Column("domain", String(64), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("duration", Integer),
    Column("state", String(16), nullable=False),
    Column("decided_by", String(200)),
    Column("decided_at", Moment),
    Column("note", String(500), nullable=False, server_default=""),
    Column("grant_until", Moment),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("state IN ('submitted', 'provisioned', 'denied', 'withdrawn')", name="state"),
    Index(None, "state", "created_at"),
)
