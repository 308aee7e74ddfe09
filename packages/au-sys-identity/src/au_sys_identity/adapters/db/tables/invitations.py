"""Invitations to organizations."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

invitations = Table(
    "invitations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("email", String(320), nullable=False),
    Column("email_canonical", String(320), nullable=False),
    Column("role", String(80)),
    Column("token_hash", LargeBinary(32), unique=True),
    Column("invited_by", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("revoked_at", Moment),
    Index("ix_invitations_organization_id_email_canonical", "organization_id", "email_canonical"),
)
