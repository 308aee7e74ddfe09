"""Mail that waits, and the one-time tokens it carries."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("payload_enc", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("dead_at", Moment),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("address", String(320), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("flow_hash", LargeBinary(32)),
    Column("asked_from", String(200), nullable=False, server_default=""),
    UniqueConstraint("subject_id", "purpose"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("capability", String(80), nullable=False),
    Column("body_enc", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    Column("read_at", Moment),
    Index("ix_notices_subject_id_read_at", "subject_id", "read_at"),
)
