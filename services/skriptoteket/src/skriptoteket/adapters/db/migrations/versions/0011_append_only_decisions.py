"""Decisions about suggestions, stewards, nominations and environments never change, like those about versions.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ERASED = "urn:fsp:erased:%"
FROZEN = {
    "suggestion_decisions": (
        "suggestion_id, verdict, rationale, title, description, professions, categories, decided_at",
        ("decided_by",),
    ),
    "stewardship_records": ("id, tool_id, action, decided_at, reason", ("subject", "decided_by")),
    "nomination_decisions": ("nomination_id, verdict, rationale, decided_at", ("decided_by",)),
    "environment_decisions": ("id, name, digest, verdict, rationale, decided_at", ("decided_by",)),
}
"""Columns that stay as they are, and names that only an erasure may take out. Whether a right was given or taken yet
(``grant_state``, ``tries``, ``problem``) is no part of a decision."""


def upgrade() -> None:
    """Make the triggers."""
    make = _on_postgresql if op.get_bind().dialect.name == "postgresql" else _on_sqlite
    for table, (columns, names) in FROZEN.items():
        make(table, columns, names)


def downgrade() -> None:
    """Drop them."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in FROZEN:
        kinds = ("frozen", "named") if postgresql else ("frozen", "named", "kept")
        for kind in kinds:
            op.execute(f"DROP TRIGGER {table}_{kind}" + (f" ON {table}" if postgresql else ""))


def _named(names: tuple[str, ...]) -> str:
    changed = (f"(NEW.{name} <> OLD.{name} AND NEW.{name} NOT LIKE '{ERASED}')" for name in names)
    return " OR ".join(changed)


def _on_postgresql(table: str, columns: str, names: tuple[str, ...]) -> None:
    for kind, event, when in (
        ("frozen", f"DELETE OR UPDATE OF {columns}", ""),
        ("named", f"UPDATE OF {', '.join(names)}", f"WHEN ({_named(names)}) "),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_{kind} BEFORE {event} ON {table} FOR EACH ROW {when}"
            "EXECUTE FUNCTION skriptoteket_refuse_change()"
        )


def _on_sqlite(table: str, columns: str, names: tuple[str, ...]) -> None:
    for kind, event, when in (
        ("frozen", f"UPDATE OF {columns}", ""),
        ("named", f"UPDATE OF {', '.join(names)}", f"WHEN {_named(names)} "),
        ("kept", "DELETE", ""),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_{kind} BEFORE {event} ON {table} {when}"
            "BEGIN SELECT RAISE(ABORT, 'history never changes'); END"
        )
