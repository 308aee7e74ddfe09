"""People and machines."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata, unique_where

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
    Column("organization_id", Uuid, ForeignKey("organizations.id"), index=True),
    CheckConstraint("kind IN ('person', 'app', 'agent', 'provider', 'group')", name="kind"),
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
    unique_where("uq_persons_email_canonical", "email_canonical", where="NOT closed"),
)

machines = Table(
    "machines",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("purpose", String(500), nullable=False),
    Column("mfa_mode", String(24), nullable=False, server_default="none"),
    Column("mfa_applies_to", String(16), nullable=False, server_default="irreversible"),
    Column("certificates", Text, nullable=False, server_default="[]"),
    Column("cap", String(16), nullable=False, server_default="none"),
    Column("provider_id", Uuid, ForeignKey("subjects.id"), index=True),
    Column("model_names", Text, nullable=False, server_default="[]"),
    Column("provenance", String(500), nullable=False, server_default=""),
    Column("hosting", String(200), nullable=False, server_default=""),
    Column("stopped_with", Uuid),
    CheckConstraint("mfa_mode IN ('none', 'mtls_bound', 'tool_assisted_totp', 'human_delegated')", name="mfa_mode"),
    CheckConstraint("mfa_applies_to IN ('always', 'changes', 'irreversible')", name="mfa_applies_to"),
    CheckConstraint("cap IN ('none', 'custodian')", name="cap"),
)
