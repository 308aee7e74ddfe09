"""B11: does an operation take longer when there is a hundred times the data?

A database with a few hundred rows is copied, and grown with rows cloned from those of one person; the same operations
are timed on both.
"""

import secrets
import sqlite3
import statistics
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from client import Connection
from servers import PASSWORD, Server, prepare, running, sign_in

SMALL, FACTOR = 100, 100
_CLONED = ("subjects", "persons", "passwords", "sessions", "refresh_tokens", "api_keys", "role_assignments")
_Rows = dict[str, list[sqlite3.Row]]


def grow(file: Path, first: int, last: int) -> None:
    """Add people like the second one: with a password, sessions, keys, an edge and events."""
    database = sqlite3.connect(file)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys=OFF")
    template = database.execute("SELECT subject_id FROM persons WHERE email = 'person1@example.org'").fetchone()[0]
    rows = _rows_of(database, template)
    for number in range(first, last):
        _clone(database, rows, number)
    database.commit()
    database.execute("ANALYZE")
    database.commit()
    database.close()


def _rows_of(database: sqlite3.Connection, template: str) -> _Rows:
    found: _Rows = {}
    known = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    urn = f"urn:au:user:{uuid.UUID(template)}"
    where = {
        "subjects": ("id", template),
        "api_keys": ("owner_id", template),
        "role_assignments": ("subject", urn),
        "refresh_tokens": ("session_id", None),
    }
    for table in (name for name in _CLONED if name in known):
        column, value = where.get(table, ("subject_id", template))
        if value is None:
            query = "SELECT t.* FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.subject_id = ?"
            found[table] = database.execute(query, (template,)).fetchall()
        else:
            found[table] = database.execute(f"SELECT * FROM {table} WHERE {column} = ?", (value,)).fetchall()
    if "audit_events" in known:
        found["audit_events"] = database.execute("SELECT * FROM audit_events LIMIT 3").fetchall()
    return found


def _clone(database: sqlite3.Connection, rows: _Rows, number: int) -> None:
    words = {"person1@": f"grown{number}@"}
    for found in rows.values():
        for row in found:
            if "id" in row.keys():  # noqa: SIM118 - a row contains its values
                old, new = uuid.UUID(row["id"]), uuid.uuid4()
                words |= {old.hex: new.hex, str(old): str(new)}
    for table, found in rows.items():
        for row in found:
            values = {name: _renewed(name, value, words) for name, value in dict(row).items()}
            marks = ", ".join("?" * len(values))
            statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
            database.execute(statement, tuple(values.values()))


def _renewed(name: str, value: object, words: dict[str, str]) -> object:
    if name.endswith("_hash") and isinstance(value, bytes):
        return secrets.token_bytes(32)
    if name == "public_id":
        return secrets.token_hex(6)
    if isinstance(value, str):
        for old, new in words.items():
            value = value.replace(old, new)
    return value


def _operations(server: Server, connection: Connection) -> dict[str, Callable[[], int]]:
    def again() -> int:
        sign_in(server, connection)
        return 200

    def refresh() -> int:
        status, answer = connection.json("POST", "/auth/jwt/refresh", {"refresh_token": server.refresh})
        server.refresh = str(answer.get("refresh_token", ""))
        return status

    def unknown() -> int:
        return connection.login("nobody@example.org", PASSWORD)[0]

    return {
        "sign in": again,
        "sign in, unknown": unknown,
        "refresh": refresh,
        "who am I": _getting(connection, server, "/users/me"),
        "my sessions": _getting(connection, server, "/auth/sessions"),
        "my keys": _getting(connection, server, "/auth/api-keys/"),
    }


def compared(python: str, folder: Path, rounds: int = 40) -> list[tuple[str, float, float]]:
    """Operation, milliseconds on the small database, and on the grown one."""
    small, large = folder / "small", folder / "large"
    folder.mkdir(exist_ok=True)
    with running("product", python, small) as server:
        prepare(server, 2)
    grow(small / "identity.db", 0, SMALL)
    large.mkdir(exist_ok=True)
    for file in small.iterdir():
        (large / file.name).write_bytes(file.read_bytes())
    grow(large / "identity.db", SMALL, SMALL * FACTOR)
    with ExitStack() as stack:
        pair = [stack.enter_context(running("product", python, data)) for data in (small, large)]
        times: list[dict[str, list[float]]] = [{}, {}]
        calls = []
        for server in pair:
            connection = Connection(server.port)
            sign_in(server, connection)
            calls.append(_operations(server, connection))
            me = connection.json("GET", "/users/me", {}, server.token)[1]["id"]
            calls[-1]["my roles"] = _getting(connection, server, f"/rbac/users/{me}/roles")
        for _ in range(rounds):
            for name in calls[0]:
                for side in (0, 1):
                    began = time.perf_counter()
                    calls[side][name]()
                    times[side].setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return [(name, statistics.median(times[0][name]), statistics.median(times[1][name])) for name in times[0]]


def _getting(connection: Connection, server: Server, path: str) -> Callable[[], int]:
    return lambda: connection.call("GET", path, token=server.token)[0]
