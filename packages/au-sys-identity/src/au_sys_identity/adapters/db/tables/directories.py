"""Settings, outside logins and directories."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata, unique_where

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value_enc", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

linked_logins = Table(
    "linked_logins",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", String(40), nullable=False),
    Column("issuer", String(500), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    UniqueConstraint("issuer", "external_id"),
)

directory_entries = Table(
    "directory_entries",
    metadata,
    Column("directory", String(40), primary_key=True),
    Column("external_id", String(255), primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("dn", String(1000), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source", String(80), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("started_by", String(200), nullable=False),
    Column("report", Text, nullable=False),
    CheckConstraint("state IN ('running', 'done', 'refused', 'failed')", name="state"),
    unique_where("uq_sync_runs_running", "source", where="state = 'running'"),
)
