"""Tables of the platform's own audit trail."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, Text

metadata = MetaData()

entries = Table(
    "audit_entries",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("action", String(120), nullable=False, index=True),
    Column("actor", String(200), nullable=False, index=True),
    Column("resource", String(400), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
"""Append only. ``body`` is the canonical JSON that was hashed; the other columns are copies, to search by."""

head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("digest", String(64), nullable=False),
)
"""One row: the last entry. It is what writers queue up for, and what shows that the end was cut off."""
