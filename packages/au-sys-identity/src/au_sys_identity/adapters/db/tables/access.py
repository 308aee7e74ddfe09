"""Roles, policies and assignments."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, String, Table, UniqueConstraint, Uuid, text

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

roles = Table(
    "roles",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("description", String(500), nullable=False),
    Column("domain", String(64), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("requestable", Boolean, nullable=False, server_default=text("false")),
    Column("version", BigInteger, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("resource", String(500), nullable=False),
    Column("action", String(120), nullable=False),
    Column("effect", String(8), nullable=False),
    Column("expires_at", Moment),
    Column("source", String(80), nullable=False, server_default="local"),
    Column("created_at", Moment, nullable=False, server_default="2026-01-01 00:00:00"),
    Column("created_by", String(200), nullable=False, server_default="urn:au:system:identity"),
    UniqueConstraint("subject", "domain", "resource", "action", "effect"),
    CheckConstraint("effect IN ('allow', 'deny')", name="effect"),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("role", String(64), nullable=False, index=True),
    Column("domain", String(64), nullable=False),
    Column("expires_at", Moment),
    Column("source", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    UniqueConstraint("subject", "role", "domain"),
)

versions = Table(
    "versions",
    metadata,
    Column("topic", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
