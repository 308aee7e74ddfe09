"""First tables of the script library.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from skriptoteket.adapters.db.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FROZEN_VERSION = (
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


def upgrade() -> None:
    """Make the tables, then the triggers that keep history as it was."""
    _create_categories()
    _create_idempotency_keys()
    _create_professions()
    _create_tools()
    _create_workers()
    _create_draft_locks()
    _create_favourites()
    _create_maintainers()
    _create_profession_categories()
    _create_tool_categories()
    _create_tool_professions()
    _create_tool_slug_aliases()
    _create_tool_versions()
    _create_runs()
    _create_version_decisions()
    _create_run_artifacts()
    _create_run_events()
    _create_run_logs()
    if op.get_bind().dialect.name == "postgresql":
        _freeze_postgresql()
    else:
        _freeze_sqlite()


def downgrade() -> None:
    """Drop everything."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER frozen_behaviour ON tool_versions")
        op.execute("DROP TRIGGER append_only ON version_decisions")
        op.execute("DROP FUNCTION skriptoteket_refuse_change")
    else:
        for trigger in ("frozen_behaviour", "decisions_no_update", "decisions_no_delete"):
            op.execute(f"DROP TRIGGER {trigger}")
    op.drop_table("run_logs")
    op.drop_table("run_events")
    op.drop_table("run_artifacts")
    op.drop_index(op.f("ix_version_decisions_tool_id"), table_name="version_decisions")
    op.drop_table("version_decisions")
    op.drop_index("ix_runs_waiting", table_name="runs")
    op.drop_index("ix_runs_tool", table_name="runs")
    op.drop_index("ix_runs_requester", table_name="runs")
    op.drop_index(op.f("ix_runs_claimed_at"), table_name="runs")
    op.drop_table("runs")
    op.drop_index(
        "uq_tool_versions_in_review",
        table_name="tool_versions",
        sqlite_where=sa.text("state = 'in_review'"),
        postgresql_where=sa.text("state = 'in_review'"),
    )
    op.drop_index(
        "uq_tool_versions_active",
        table_name="tool_versions",
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.drop_index("ix_tool_versions_content", table_name="tool_versions")
    op.drop_table("tool_versions")
    op.drop_table("tool_slug_aliases")
    op.drop_table("tool_professions")
    op.drop_table("tool_categories")
    op.drop_table("profession_categories")
    op.drop_table("maintainers")
    op.drop_table("favourites")
    op.drop_table("draft_locks")
    op.drop_table("workers")
    op.drop_table("tools")
    op.drop_table("professions")
    op.drop_table("idempotency_keys")
    op.drop_table("categories")


def _freeze_sqlite() -> None:
    columns = ", ".join(f'"{name}"' for name in FROZEN_VERSION)
    op.execute(
        f"CREATE TRIGGER frozen_behaviour BEFORE UPDATE OF {columns} ON tool_versions "
        "BEGIN SELECT RAISE(ABORT, 'the behaviour of a version never changes'); END"
    )
    for word in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER decisions_no_{word.lower()} BEFORE {word} ON version_decisions "
            "BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END"
        )


def _freeze_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION skriptoteket_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history never changes' USING ERRCODE = 'restrict_violation'; END $$"
    )
    columns = ", ".join(f'"{name}"' for name in FROZEN_VERSION)
    op.execute(
        f"CREATE TRIGGER frozen_behaviour BEFORE UPDATE OF {columns} ON tool_versions "
        "FOR EACH ROW EXECUTE FUNCTION skriptoteket_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON version_decisions "
        "FOR EACH ROW EXECUTE FUNCTION skriptoteket_refuse_change()"
    )


def _create_categories() -> None:
    op.create_table(
        "categories",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("label_en", sa.String(length=100), nullable=False),
        sa.Column("label_sv", sa.String(length=100), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_categories")),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(length=500), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_idempotency_keys")),
    )


def _create_professions() -> None:
    op.create_table(
        "professions",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("label_en", sa.String(length=100), nullable=False),
        sa.Column("label_sv", sa.String(length=100), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_professions")),
    )


def _create_tools() -> None:
    op.create_table(
        "tools",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=128), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("title_sv", sa.String(length=255), nullable=False),
        sa.Column("summary_sv", sa.String(length=2000), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("is_visible", sa.Boolean(), nullable=False),
        sa.Column("first_shown_at", UtcDateTime(), nullable=True),
        sa.Column("active_version_id", sa.Uuid(), nullable=True),
        sa.Column("draft_head_version_id", sa.Uuid(), nullable=True),
        sa.Column("max_parallel", sa.Integer(), nullable=True),
        sa.Column("bank_slug", sa.String(length=128), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tools")),
        sa.UniqueConstraint("bank_slug", name=op.f("uq_tools_bank_slug")),
        sa.UniqueConstraint("slug", name=op.f("uq_tools_slug")),
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("host_id", sa.String(length=100), nullable=False),
        sa.Column("boot_id", sa.String(length=100), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_start", sa.Float(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("runner", sa.String(length=32), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.Column("environments", sa.JSON(), nullable=False),
        sa.Column("memory_budget_mib", sa.Integer(), nullable=False),
        sa.Column("memory_reserved_mib", sa.Integer(), nullable=False),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def _create_draft_locks() -> None:
    op.create_table(
        "draft_locks",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("head_version_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("acquired_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("forced_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_draft_locks_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", name=op.f("pk_draft_locks")),
    )


def _create_favourites() -> None:
    op.create_table(
        "favourites",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_favourites_tool_id")),
        sa.PrimaryKeyConstraint("subject", "tool_id", name=op.f("pk_favourites")),
    )


def _create_maintainers() -> None:
    op.create_table(
        "maintainers",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_maintainers_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "subject", name=op.f("pk_maintainers")),
    )


def _create_profession_categories() -> None:
    op.create_table(
        "profession_categories",
        sa.Column("profession", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["category"], ["categories.slug"], name=op.f("fk_profession_categories_category")),
        sa.ForeignKeyConstraint(
            ["profession"], ["professions.slug"], name=op.f("fk_profession_categories_profession"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profession", "category", name=op.f("pk_profession_categories")),
    )


def _create_tool_categories() -> None:
    op.create_table(
        "tool_categories",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["category"], ["categories.slug"], name=op.f("fk_tool_categories_category")),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_tool_categories_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "category", name=op.f("pk_tool_categories")),
    )


def _create_tool_professions() -> None:
    op.create_table(
        "tool_professions",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("profession", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["profession"], ["professions.slug"], name=op.f("fk_tool_professions_profession")),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_tool_professions_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "profession", name=op.f("pk_tool_professions")),
    )


def _create_tool_slug_aliases() -> None:
    op.create_table(
        "tool_slug_aliases",
        sa.Column("slug", sa.String(length=128), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_tool_slug_aliases_tool_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_tool_slug_aliases")),
    )


def _create_tool_versions() -> None:
    op.create_table(
        "tool_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("archived_reason", sa.String(length=32), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=False),
        sa.Column("entrypoint", sa.String(length=128), nullable=False),
        sa.Column("contract", sa.Integer(), nullable=False),
        sa.Column("environment", sa.String(length=100), nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("input_schema", sa.JSON(), nullable=False),
        sa.Column("settings_schema", sa.JSON(), nullable=False),
        sa.Column("usage_instructions", sa.Text(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("behaviour_hash", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("derived_from", sa.Uuid(), nullable=True),
        sa.Column("change_summary", sa.String(length=1000), nullable=False),
        sa.Column("submitted_by", sa.String(length=200), nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("submit_note", sa.String(length=1000), nullable=False),
        sa.Column("reviewed_by", sa.String(length=200), nullable=True),
        sa.Column("reviewed_at", UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.String(length=200), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("version_number >= 1", name=op.f("ck_tool_versions_number")),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_tool_versions_tool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_versions")),
        sa.UniqueConstraint("tool_id", "version_number", name=op.f("uq_tool_versions_tool_id_version_number")),
    )
    op.create_index("ix_tool_versions_content", "tool_versions", ["tool_id", "content_hash"], unique=False)
    op.create_index(
        "uq_tool_versions_active",
        "tool_versions",
        ["tool_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_tool_versions_in_review",
        "tool_versions",
        ["tool_id"],
        unique=True,
        sqlite_where=sa.text("state = 'in_review'"),
        postgresql_where=sa.text("state = 'in_review'"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("context", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        sa.Column("behaviour_hash", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("environment", sa.String(length=100), nullable=False),
        sa.Column("environment_digest", sa.String(length=100), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("input_values", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("action", sa.JSON(), nullable=True),
        sa.Column("session_state", sa.JSON(), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("queue_deadline", UtcDateTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_epoch", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.String(length=32), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("runner", sa.String(length=32), nullable=False),
        sa.Column("isolation", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("author_detail", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("next_actions", sa.JSON(), nullable=False),
        sa.Column("state_out", sa.JSON(), nullable=True),
        sa.Column("inputs_expired_at", UtcDateTime(), nullable=True),
        sa.Column("artifacts_expired_at", UtcDateTime(), nullable=True),
        sa.Column("logs_expired_at", UtcDateTime(), nullable=True),
        sa.Column("result_expired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_runs_tool_id")),
        sa.ForeignKeyConstraint(["version_id"], ["tool_versions.id"], name=op.f("fk_runs_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_claimed_at"), "runs", ["claimed_at"], unique=False)
    op.create_index("ix_runs_requester", "runs", ["requested_by", "id"], unique=False)
    op.create_index("ix_runs_tool", "runs", ["tool_id", "id"], unique=False)
    op.create_index("ix_runs_waiting", "runs", ["state", "id"], unique=False)


def _create_version_decisions() -> None:
    op.create_table(
        "version_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("rationale", sa.String(length=4000), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("behaviour_hash", sa.String(length=64), nullable=False),
        sa.Column("resulting_version_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_version_decisions_tool_id")),
        sa.ForeignKeyConstraint(["version_id"], ["tool_versions.id"], name=op.f("fk_version_decisions_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_decisions")),
    )
    op.create_index(op.f("ix_version_decisions_tool_id"), "version_decisions", ["tool_id"], unique=False)


def _create_run_artifacts() -> None:
    op.create_table(
        "run_artifacts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("artifact_id", sa.String(length=140), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("blob_key", sa.String(length=400), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_artifacts_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "artifact_id", name=op.f("pk_run_artifacts")),
    )


def _create_run_events() -> None:
    op.create_table(
        "run_events",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_events_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_events")),
    )


def _create_run_logs() -> None:
    op.create_table(
        "run_logs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stdout", sa.Text(), nullable=False),
        sa.Column("stdout_bytes", sa.Integer(), nullable=False),
        sa.Column("stdout_dropped", sa.Integer(), nullable=False),
        sa.Column("stderr", sa.Text(), nullable=False),
        sa.Column("stderr_bytes", sa.Integer(), nullable=False),
        sa.Column("stderr_dropped", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_logs_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_logs")),
    )
