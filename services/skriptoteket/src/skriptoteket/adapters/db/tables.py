"""Every table and constraint."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from skriptoteket.adapters.db.columns import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

professions = Table(
    "professions",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("label_en", String(100), nullable=False),
    Column("label_sv", String(100), nullable=False),
    Column("sort_order", Integer, nullable=False),
)

categories = Table(
    "categories",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("label_en", String(100), nullable=False),
    Column("label_sv", String(100), nullable=False),
    Column("sort_order", Integer, nullable=False),
)

profession_categories = Table(
    "profession_categories",
    metadata,
    Column("profession", ForeignKey("professions.slug", ondelete="CASCADE"), primary_key=True),
    Column("category", ForeignKey("categories.slug"), primary_key=True),
    Column("sort_order", Integer, nullable=False),
)

tools = Table(
    "tools",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(128), nullable=False, unique=True),
    Column("title", String(255), nullable=False),
    Column("summary", String(2000), nullable=False),
    Column("title_sv", String(255), nullable=False),
    Column("summary_sv", String(2000), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("is_visible", Boolean, nullable=False),
    Column("first_shown_at", UtcDateTime),
    Column("active_version_id", Uuid),
    Column("draft_head_version_id", Uuid),
    Column("max_parallel", Integer),
    Column("bank_slug", String(128), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

tool_professions = Table(
    "tool_professions",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("profession", ForeignKey("professions.slug"), primary_key=True),
    Column("place", Integer, nullable=False),
)

tool_categories = Table(
    "tool_categories",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("category", ForeignKey("categories.slug"), primary_key=True),
    Column("place", Integer, nullable=False),
)

tool_slug_aliases = Table(
    "tool_slug_aliases",
    metadata,
    Column("slug", String(128), primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
)

maintainers = Table(
    "maintainers",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
)

favourites = Table(
    "favourites",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("saved", JSON, nullable=False),
    Column("rev", Integer, nullable=False),
)

seen_instructions = Table(
    "seen_instructions",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("instructions_hash", String(64), nullable=False),
)

tool_versions = Table(
    "tool_versions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("archived_reason", String(32)),
    Column("source_code", Text, nullable=False),
    Column("entrypoint", String(128), nullable=False),
    Column("contract", Integer, nullable=False),
    Column("environment", String(100), nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("input_schema", JSON, nullable=False),
    Column("settings_schema", JSON, nullable=False),
    Column("usage_instructions", Text, nullable=False),
    Column("requirements", JSON, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("behaviour_hash", String(64), nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("derived_from", Uuid),
    Column("change_summary", String(1000), nullable=False),
    Column("submitted_by", String(200)),
    Column("submitted_at", UtcDateTime),
    Column("submit_note", String(1000), nullable=False),
    Column("reviewed_by", String(200)),
    Column("reviewed_at", UtcDateTime),
    Column("published_by", String(200)),
    Column("published_at", UtcDateTime),
    Column("activated_at", UtcDateTime),
    UniqueConstraint("tool_id", "version_number"),
    CheckConstraint("version_number >= 1", name="number"),
    Index("ix_tool_versions_content", "tool_id", "content_hash"),
    Index(
        "uq_tool_versions_active",
        "tool_id",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
    Index(
        "uq_tool_versions_in_review",
        "tool_id",
        unique=True,
        sqlite_where=text("state = 'in_review'"),
        postgresql_where=text("state = 'in_review'"),
    ),
)

BEHAVIOUR_COLUMNS = (
    "tool_id",
    "version_number",
    "source_code",
    "entrypoint",
    "contract",
    "environment",
    "idempotent",
    "input_schema",
    "settings_schema",
    "usage_instructions",
    "requirements",
    "limits",
    "content_hash",
    "behaviour_hash",
    "created_by",
    "created_at",
)
"""Columns of a version that never change; a trigger refuses it."""

version_decisions = Table(
    "version_decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version_id", ForeignKey("tool_versions.id"), nullable=False),
    Column("tool_id", ForeignKey("tools.id"), nullable=False, index=True),
    Column("verdict", String(20), nullable=False),
    Column("rationale", String(4000), nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("behaviour_hash", String(64), nullable=False),
    Column("resulting_version_id", Uuid),
)

draft_locks = Table(
    "draft_locks",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("head_version_id", Uuid, nullable=False),
    Column("holder", String(200), nullable=False),
    Column("acquired_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("forced_by", String(200)),
)

sandbox_snapshots = Table(
    "sandbox_snapshots",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
    Column("author", String(200), nullable=False),
    Column("source_code", Text, nullable=False),
    Column("entrypoint", String(128), nullable=False),
    Column("contract", Integer, nullable=False),
    Column("environment", String(100), nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("input_schema", JSON, nullable=False),
    Column("settings_schema", JSON, nullable=False),
    Column("usage_instructions", Text, nullable=False),
    Column("requirements", JSON, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("behaviour_hash", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sandbox_snapshots_equal", "tool_id", "author", "behaviour_hash"),
)

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
    Index(
        "uq_nominations_pending",
        "nominee",
        unique=True,
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
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
)
