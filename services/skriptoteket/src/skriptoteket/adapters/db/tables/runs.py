"""Runs, what came of them, tool sessions and workers."""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, Uuid

from skriptoteket.adapters.db.columns import UtcDateTime
from skriptoteket.adapters.db.tables.schema import metadata

runs = Table(
    "runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("context", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
    Column("version_id", ForeignKey("tool_versions.id")),
    Column("snapshot_id", Uuid),
    Column("behaviour_hash", String(64), nullable=False),
    Column("requested_by", String(200), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("environment", String(100), nullable=False),
    Column("environment_digest", String(100), nullable=False),
    Column("limits", JSON, nullable=False),
    Column("requirements", JSON, nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("files", JSON, nullable=False),
    Column("input_values", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("action", JSON),
    Column("session_state", JSON),
    Column("locale", String(16), nullable=False),
    Column("schedule_id", Uuid),
    Column("queue_deadline", UtcDateTime),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease_owner", String(100)),
    Column("lease_epoch", String(64)),
    Column("lease_until", Float),
    Column("claimed_at", UtcDateTime, index=True),
    Column("cancel_requested", Boolean, nullable=False),
    Column("cancel_reason", String(32), nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("runner", String(32), nullable=False),
    Column("isolation", JSON, nullable=False),
    Column("outcome", String(24)),
    Column("message", Text, nullable=False),
    Column("author_detail", Text, nullable=False),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("usage", JSON, nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("next_actions", JSON, nullable=False),
    Column("state_out", JSON),
    Column("inputs_expired_at", UtcDateTime),
    Column("artifacts_expired_at", UtcDateTime),
    Column("logs_expired_at", UtcDateTime),
    Column("result_expired_at", UtcDateTime),
    Column("shared_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    Column("check_only", Boolean),
    Index("ix_runs_waiting", "state", "id"),
    Index("ix_runs_requester", "requested_by", "id"),
    Index("ix_runs_tool", "tool_id", "id"),
)

tool_sessions = Table(
    "tool_sessions",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("context", String(60), primary_key=True),
    Column("offer", JSON, nullable=False),
    Column("state", JSON),
    Column("rev", Integer, nullable=False),
    Column("run_id", Uuid),
    Column("pending_run_id", Uuid),
    Column("last_used_at", UtcDateTime, nullable=False, index=True),
    Column("files", JSON),
)

run_artifacts = Table(
    "run_artifacts",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("artifact_id", String(140), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("path", String(400), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("blob_key", String(400)),
)

run_logs = Table(
    "run_logs",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("stdout", Text, nullable=False),
    Column("stdout_bytes", Integer, nullable=False),
    Column("stdout_dropped", Integer, nullable=False),
    Column("stderr", Text, nullable=False),
    Column("stderr_bytes", Integer, nullable=False),
    Column("stderr_dropped", Integer, nullable=False),
)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

run_accesses = Table(
    "run_accesses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("opened_by", String(200), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("open_until", UtcDateTime, nullable=False),
    Column("reason", String(500), nullable=False),
)

upkeep = Table(
    "upkeep",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("tried_at", UtcDateTime, nullable=False),
    Column("succeeded_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("counts", JSON, nullable=False),
)

stream_leases = Table(
    "stream_leases",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("stream", Uuid, nullable=False, index=True),
    Column("epoch", String(64), nullable=False),
    Column("until", Float, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(500), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("host_id", String(100), nullable=False),
    Column("boot_id", String(100), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_start", Float, nullable=False),
    Column("version", String(50), nullable=False),
    Column("runner", String(32), nullable=False),
    Column("capabilities", JSON, nullable=False),
    Column("environments", JSON, nullable=False),
    Column("memory_budget_mib", Integer, nullable=False),
    Column("memory_reserved_mib", Integer, nullable=False),
    Column("draining", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("problem", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("drain_asked_at", UtcDateTime),
)
