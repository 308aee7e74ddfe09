"""Suggestions, stewardship and nominations, with their decisions."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text, Uuid

from skriptoteket.adapters.db.columns import UtcDateTime
from skriptoteket.adapters.db.tables.schema import metadata, unique_where

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("professions", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("suggested_by", String(200), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("draft_tool_id", Uuid),
)

suggestion_decisions = Table(
    "suggestion_decisions",
    metadata,
    Column("suggestion_id", ForeignKey("suggestions.id"), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("rationale", String(4000), nullable=False),
    Column("title", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("professions", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
)

stewardship_records = Table(
    "stewardship_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False, index=True),
    Column("action", String(16), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("reason", String(1000), nullable=False),
)

nominations = Table(
    "nominations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("nominee", String(200), nullable=False),
    Column("nominator", String(200), nullable=False),
    Column("rationale", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    unique_where("uq_nominations_pending", "nominee", where="status = 'pending'"),
)

nomination_decisions = Table(
    "nomination_decisions",
    metadata,
    Column("nomination_id", ForeignKey("nominations.id"), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("rationale", Text, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("grant_state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("problem", String(1000), nullable=False),
)
