"""Events, their tree, signed heads, and the keys that seal what is personal. Rows of the log are never changed."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

_Number = BigInteger().with_variant(Integer, "sqlite")

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
"""Staged until a row of ``audit_leaves`` names the event."""

audit_index = Table(
    "audit_index",
    metadata,
    Column("leaf_index", _Number, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(120), nullable=False),
    Column("target", String(400), nullable=False),
    Column("organization", String(64), nullable=False),
    Column("outcome", String(20), nullable=False),
    Index(None, "actor", "leaf_index"),
    Index(None, "target", "leaf_index"),
    Index(None, "action", "leaf_index"),
)
"""Copies to search by."""

audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("leaf_index", _Number, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("leaf_hash", LargeBinary(32), nullable=False),
)

audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", _Number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""Complete subtrees above the leaves."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("tree_size", _Number, primary_key=True, autoincrement=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)

audit_dropped = Table(
    "audit_dropped",
    metadata,
    Column("below", _Number, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
)
"""Below which leaf events may be, and are, dropped; the log itself tells so by an event."""

audit_keys = Table(
    "audit_keys",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("private_enc", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

subject_keys = Table(
    "subject_keys",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("wrapped_key", LargeBinary),
    Column("created_at", Moment, nullable=False),
    Column("destroyed_at", Moment),
)
"""No foreign key: a destroyed key outlives its subject, so that no new one is made."""

INSERT_ONLY = ("audit_events", "audit_index", "audit_leaves", "audit_nodes", "audit_heads", "audit_dropped")
"""Tables whose rows no trigger lets be changed or deleted, but for events that were dropped."""
