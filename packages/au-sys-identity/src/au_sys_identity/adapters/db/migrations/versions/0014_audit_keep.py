"""Old events of the audit log may be dropped, when the log tells so itself; everything else stays insert-only."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_DROPPED = "audit_dropped"
_EVENT = {"audit_events": "OLD.id", "audit_index": "OLD.event_id"}
_MAY = (
    "SELECT 1 FROM audit_leaves JOIN audit_dropped ON audit_leaves.leaf_index < audit_dropped.below "
    "WHERE audit_leaves.event_id = "
)


def upgrade() -> None:
    """Make the table, guard it like the log, and let go of what lies below."""
    op.create_table(
        _DROPPED,
        sa.Column("below", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("below", name=op.f("pk_audit_dropped")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_refusing(_DROPPED, verb))
        for table, event in _EVENT.items():
            op.execute(f"DROP TRIGGER {table}_no_delete")
            op.execute(_refusing(table, "DELETE", f"WHEN NOT EXISTS ({_MAY}{event})"))
        return
    op.execute(_statement_guard(_DROPPED, "UPDATE OR DELETE OR TRUNCATE"))
    for table, event in _EVENT.items():
        op.execute(f"DROP TRIGGER {table}_insert_only ON {table}")
        op.execute(_statement_guard(table, "UPDATE OR TRUNCATE"))
        op.execute(
            f"CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NOT EXISTS ({_MAY}{event}) THEN RAISE EXCEPTION 'the audit log is insert-only'; END IF; "
            "RETURN OLD; END $$"
        )
        op.execute(f"CREATE TRIGGER {table}_keep BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_keep()")


def downgrade() -> None:
    """Nothing may be dropped any more; what was dropped stays so."""
    op.drop_table(_DROPPED)
    for table in _EVENT:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_no_delete")
            op.execute(_refusing(table, "DELETE"))
            continue
        op.execute(f"DROP TRIGGER {table}_keep ON {table}")
        op.execute(f"DROP FUNCTION {table}_keep()")
        op.execute(f"DROP TRIGGER {table}_insert_only ON {table}")
        op.execute(_statement_guard(table, "UPDATE OR DELETE OR TRUNCATE"))


def _refusing(table: str, verb: str, when: str = "") -> str:
    """A guard on SQLite."""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {when} "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END"
    )


def _statement_guard(table: str, verbs: str) -> str:
    """A guard on PostgreSQL."""
    return (
        f"CREATE TRIGGER {table}_insert_only BEFORE {verbs} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_insert_only()"
    )
