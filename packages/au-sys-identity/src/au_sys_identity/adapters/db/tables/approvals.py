"""What machines ask people for, what they may do for people, and how long a code of theirs counts."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

approvals = Table(
    "approvals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("requester_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("requester", String(80), nullable=False),
    Column("on_behalf_of", String(80)),
    Column("act", Text, nullable=False),
    Column("act_hash", LargeBinary(32), nullable=False),
    Column("arguments_enc", LargeBinary),
    Column("reason", String(500), nullable=False),
    Column("summary", String(200), nullable=False),
    Column("reversibility", String(16), nullable=False),
    Column("addressed_to", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("note", String(500), nullable=False, server_default=""),
    Column("decided_by", String(80), index=True),
    Column("decided_at", Moment),
    Column("assertion", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("use_before", Moment),
    Column("used_at", Moment),
    CheckConstraint("state IN ('pending', 'approved', 'denied', 'withdrawn', 'used')", name="state"),
    Index(None, "state", "expires_at"),
    Index(None, "requester_id", "created_at"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("human_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("agent_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("agent_kind", String(16), nullable=False),
    Column("domain", String(64), nullable=False),
    Column("permissions", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    CheckConstraint("max_uses IS NULL OR uses <= max_uses", name="uses"),
)

mfa_windows = Table(
    "mfa_windows",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)
