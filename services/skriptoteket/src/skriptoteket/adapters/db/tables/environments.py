"""Tables of environments: what was decided about each."""

from sqlalchemy import Column, String, Table, Text, Uuid

from skriptoteket.adapters.db.columns import UtcDateTime
from skriptoteket.adapters.db.tables.schema import metadata

environment_decisions = Table(
    "environment_decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("rationale", Text, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
)
