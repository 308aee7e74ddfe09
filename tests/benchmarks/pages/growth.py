"""Ten thousand people and a thousand agents, cloned from one of each while nobody is at home."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

PERSON = ("subjects", "persons", "passwords", "organization_members", "sessions", "role_assignments", "edges")
AGENT = ("subjects", "machines", "edges", "role_assignments", "api_keys")
OWNERS = {"subjects": "id", "sessions": "subject_id", "role_assignments": "subject", "api_keys": "owner_id"}
Rows = dict[str, list[dict[str, object]]]


def grow(file: Path, person: str, agent: str, *, people: int, agents: int) -> None:
    """Clone a person and an agent, given by their URNs; every tenth of the new people answers for a new agent."""
    database = sqlite3.connect(file)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys=OFF")
    known = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    first, second = _rows(database, PERSON, person, known), _rows(database, AGENT, agent, known)
    custodians = [_clone(database, first, person, f"person{number}", {}) for number in range(people)]
    for number in range(agents):
        keeper = custodians[number * 10 % people]
        _clone(database, second, agent, f"agent{number}", {_hex(person): _hex(keeper), person: keeper})
    database.commit()
    database.execute("ANALYZE")
    database.commit()
    database.close()


def _hex(urn: str) -> str:
    return uuid.UUID(urn.rpartition(":")[2]).hex


def _rows(database: sqlite3.Connection, tables: tuple[str, ...], urn: str, known: set[str]) -> Rows:
    found: Rows = {}
    for table in known.intersection(tables):
        columns = {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
        if table == "edges":
            query, values = "SELECT * FROM edges WHERE source_id = ? OR target_id = ?", (_hex(urn), _hex(urn))
            rows = [dict(row) for row in database.execute(query, values)]
            found[table] = [row for row in rows if (row["relation"] == "owner_of") == ("agent" in urn)]
            continue
        owner = OWNERS.get(table, "subject_id")
        assert owner in columns, (table, owner)
        wanted = urn if owner == "subject" else _hex(urn)
        found[table] = [dict(row) for row in database.execute(f"SELECT * FROM {table} WHERE {owner} = ?", (wanted,))]
    return found


def _clone(database: sqlite3.Connection, rows: Rows, urn: str, name: str, more: dict[str, str]) -> str:
    """Rows of another one; returns its URN."""
    own = uuid.uuid4()
    made = f"{urn.rpartition(':')[0]}:{own}"
    words = {_hex(urn): own.hex, urn: made, **more}
    for table, found in rows.items():
        for row in found:
            values = {column: words.get(str(value), value) for column, value in row.items()}
            if table != "subjects" and "id" in row:
                values["id"] = uuid.uuid4().hex
            values |= _unique(table, name)
            marks = ", ".join("?" * len(values))
            database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return made


def _unique(table: str, name: str) -> dict[str, object]:
    """What no two rows may share."""
    known: dict[str, dict[str, object]] = {
        "subjects": {"name": name.title()},
        "persons": {"email": f"{name}@example.org", "email_canonical": f"{name}@example.org"},
        "sessions": {"secret_hash": None},
        "api_keys": {"public_id": uuid.uuid4().hex[:12]},
    }
    return known.get(table, {})
