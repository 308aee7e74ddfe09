"""API keys and the keys that sign tokens."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, String, Table, Text, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata, unique_where

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("public_id", String(12), nullable=False, unique=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("owner_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Column("created_by", String(200), nullable=False, server_default=""),
    Column("overlap_until", Moment),
    Column("superseded_by", Uuid, unique=True),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("private_enc", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("active_from", Moment, nullable=False),
    Column("retire_at", Moment),
    CheckConstraint("state IN ('next', 'active', 'retiring')", name="state"),
    unique_where("uq_signing_keys_active", "state", where="state = 'active'"),
)
