"""Edges between subjects, the subjects that sign in nowhere, and the feed of what changed."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

edges = Table(
    "edges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("relation", String(32), nullable=False),
    Column("target_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("attributes_enc", LargeBinary),
    Column("expires_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    UniqueConstraint("source_id", "relation", "target_id"),
    CheckConstraint("source_id <> target_id", name="ends"),
    CheckConstraint("relation IN ('member_of', 'owner_of', 'child_of', 'dependency_of')", name="relation"),
    Index(None, "target_id", "relation", "source_id"),
)

providers = Table(
    "providers",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("vendor", String(120), nullable=False),
    Column("models", Text, nullable=False),
    Column("region", String(120), nullable=False),
    Column("homepage", String(500), nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("description", String(500), nullable=False),
    Column("source", String(80), nullable=False),
    Column("external_id", String(255)),
    UniqueConstraint("source", "external_id"),
)

feed = Table(
    "feed",
    metadata,
    Column("topic", String(32), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("operation", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)
