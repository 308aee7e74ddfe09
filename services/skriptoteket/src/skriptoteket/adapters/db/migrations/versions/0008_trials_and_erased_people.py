"""Settings of trials, runs that only check a text, and names that an erasure may take out of history.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ERASED = "urn:fsp:erased:%"
VERSION = (
    "tool_id, version_number, source_code, entrypoint, contract, environment, idempotent, input_schema, "
    "settings_schema, usage_instructions, requirements, limits, content_hash, behaviour_hash, created_at"
)
DECISION = "id, version_id, tool_id, verdict, rationale, decided_at, behaviour_hash, resulting_version_id"


def upgrade() -> None:
    """Make table and column; history stays frozen but for the names of erased people."""
    op.create_table(
        "trial_settings",
        sa.Column("tool_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("saved", sa.JSON(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tool_id"], ["tools.id"], name=op.f("fk_trial_settings_tool_id")),
        sa.PrimaryKeyConstraint("tool_id", "subject", name=op.f("pk_trial_settings")),
    )
    op.add_column("runs", sa.Column("check_only", sa.Boolean(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for trigger, table in (("frozen_behaviour", "tool_versions"), ("append_only", "version_decisions")):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
        _refuse("frozen_behaviour", f"UPDATE OF {VERSION}", "tool_versions")
        _refuse("frozen_author", "UPDATE OF created_by", "tool_versions", _named("created_by"))
        _refuse("append_only", f"DELETE OR UPDATE OF {DECISION}", "version_decisions")
        _refuse("frozen_decider", "UPDATE OF decided_by", "version_decisions", _named("decided_by"))
        return
    for trigger in ("frozen_behaviour", "decisions_no_update"):
        op.execute(f"DROP TRIGGER {trigger}")
    _abort("frozen_behaviour", VERSION, "tool_versions")
    _abort("frozen_author", "created_by", "tool_versions", _named("created_by"))
    _abort("decisions_no_update", DECISION, "version_decisions")
    _abort("frozen_decider", "decided_by", "version_decisions", _named("decided_by"))


def downgrade() -> None:
    """Drop them; names are frozen again."""
    if op.get_bind().dialect.name == "postgresql":
        for trigger, table in (
            ("frozen_behaviour", "tool_versions"),
            ("frozen_author", "tool_versions"),
            ("append_only", "version_decisions"),
            ("frozen_decider", "version_decisions"),
        ):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
        _refuse("frozen_behaviour", f"UPDATE OF {VERSION}, created_by", "tool_versions")
        _refuse("append_only", "UPDATE OR DELETE", "version_decisions")
    else:
        for trigger in ("frozen_behaviour", "frozen_author", "decisions_no_update", "frozen_decider"):
            op.execute(f"DROP TRIGGER {trigger}")
        _abort("frozen_behaviour", f"{VERSION}, created_by", "tool_versions")
        _abort("decisions_no_update", f"{DECISION}, decided_by", "version_decisions")
    op.drop_column("runs", "check_only")
    op.drop_table("trial_settings")


def _named(column: str) -> str:
    return f"NEW.{column} NOT LIKE '{ERASED}'"


def _refuse(name: str, event: str, table: str, when: str = "") -> None:
    condition = f"WHEN ({when}) " if when else ""
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition}"
        "EXECUTE FUNCTION skriptoteket_refuse_change()"
    )


def _abort(name: str, columns: str, table: str, when: str = "") -> None:
    condition = f"WHEN {when} " if when else ""
    op.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE OF {columns} ON {table} {condition}"
        "BEGIN SELECT RAISE(ABORT, 'history never changes'); END"
    )
