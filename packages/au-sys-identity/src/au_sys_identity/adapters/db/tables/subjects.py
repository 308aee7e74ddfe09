"""People, machines and the edges between them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

subjects = Table(
    "subjects",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("urn", String(80), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("status", String(16), nullable=False),
    Column("status_reason", String(500)),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("kind IN ('person', 'app', 'agent')", name="kind"),
    CheckConstraint("status IN ('pending', 'active', 'disabled', 'closed')", name="status"),
    Index(None, "kind", "status"),
    Index(None, "kind", "name"),
)

persons = Table(
    "persons",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_canonical", String(320), nullable=False),
    Column("email_verified_at", Moment),
    Column("auth_source", String(80), nullable=False),
    Column("locale", String(35)),
    Column("timezone", String(64)),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    Index(
        "uq_persons_email_canonical",
        "email_canonical",
        unique=True,
        sqlite_where=text("NOT closed"),
        postgresql_where=text("NOT closed"),
    ),
)

machines = Table(
    "machines",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("purpose", String(500), nullable=False),
)

edges = Table(
    "edges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("relation", String(32), nullable=False),
    Column("target_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    UniqueConstraint("source_id", "relation", "target_id"),
    CheckConstraint("source_id <> target_id", name="ends"),
    Index(None, "target_id", "relation", "source_id"),
)
