"""Sessions and their refresh tokens."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata, unique_where

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("secret_hash", LargeBinary(32), unique=True),
    Column("label", String(120), nullable=False),
    Column("user_agent", String(300), nullable=False),
    Column("ip", String(64)),
    Column("binding_hash", LargeBinary(32)),
    Column("strong_binding", Boolean, nullable=False),
    Column("strength", String(32), nullable=False),
    Column("methods", String(200), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("auth_time", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("idle_until", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("end_reason", String(200)),
    CheckConstraint("kind IN ('token', 'web')", name="kind"),
    Index(None, "subject_id", "ended_at"),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("replaced_at", Moment),
    unique_where("uq_refresh_tokens_head", "session_id", where="replaced_at IS NULL"),
)
