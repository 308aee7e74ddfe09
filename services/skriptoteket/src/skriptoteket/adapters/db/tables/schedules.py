"""Schedules, and what each due time came to."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Uuid

from skriptoteket.adapters.db.columns import UtcDateTime
from skriptoteket.adapters.db.tables.schema import metadata

schedules = Table(
    "schedules",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
    Column("owner", String(200), nullable=False, index=True),
    Column("cron", String(200), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("input_values", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("locale", String(16), nullable=False),
    Column("ends_at", UtcDateTime),
    Column("max_runs", Integer),
    Column("runs_started", Integer, nullable=False),
    Column("next_due_at", UtcDateTime, index=True),
    Column("consecutive_failures", Integer, nullable=False),
    Column("pending_run_id", Uuid, index=True),
    Column("pause", String(16), nullable=False),
    Column("problems", JSON, nullable=False),
)

schedule_occurrences = Table(
    "schedule_occurrences",
    metadata,
    Column("schedule_id", ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True),
    Column("due_at", UtcDateTime, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("handled_at", UtcDateTime, nullable=False),
    Column("run_id", Uuid),
    Column("detail", String(1000), nullable=False),
)
