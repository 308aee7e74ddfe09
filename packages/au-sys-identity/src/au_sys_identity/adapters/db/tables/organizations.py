"""Tenants and who belongs to them."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, String, Table, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("status IN ('active', 'closed')", name="status"),
)

organization_members = Table(
    "organization_members",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
)
