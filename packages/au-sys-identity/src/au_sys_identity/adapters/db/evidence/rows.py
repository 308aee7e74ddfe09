"""Rows as JSON and back, with what is personal sealed under the key of its subject."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, LargeBinary, RowMapping, Table, Uuid

from au_sys_identity.adapters.db.evidence.personal import seal_with, unseal_with
from au_sys_identity.adapters.db.tables import Moment
from au_sys_identity.adapters.db.tables.recovery import PERSONAL
from au_sys_identity.core.audit.heads import moment

SEALED = "~"
"""The member that holds the sealed columns of a row."""

Row = dict[str, object]


def plain_row(table: Table, values: RowMapping) -> Row:
    """A row as JSON."""
    return {column.name: _plain(values[column.name]) for column in table.columns}


def plain_values(values: Mapping[str, object]) -> Row:
    """Some columns as JSON."""
    return {name: _plain(value) for name, value in values.items()}


def typed_row(table: Table, row: Mapping[str, object]) -> Row:
    """A row as the database takes it; columns that the table does not have are left out."""
    return {column.name: _typed(column, row[column.name]) for column in table.columns if column.name in row}


def key_of(table: Table, row: Mapping[str, object]) -> str:
    """The primary key of a JSON row as text."""
    return json.dumps([row[column.name] for column in table.primary_key.columns])


def owner_of(table: Table, row: Mapping[str, object]) -> UUID | None:
    """Whose personal columns a row holds."""
    found = PERSONAL.get(table.name)
    if found is None or (table.name == "subjects" and row.get("kind") != "person"):
        return None
    return UUID(str(row[found[0]]))


def sealed_row(table: Table, row: Row, key: bytes | None) -> Row:
    """The row with its personal columns in one sealed member; without a key they are left out."""
    names = PERSONAL[table.name][1]
    kept = {name: value for name, value in row.items() if name not in names}
    if key is None:
        return {**kept, SEALED: ""}
    personal = json.dumps({name: row[name] for name in names if name in row}).encode()
    return {**kept, SEALED: base64.b64encode(seal_with(key, _place(table, row), personal)).decode()}


def opened_row(table: Table, row: Row, key: bytes | None) -> Row | None:
    """The row as it was; ``None`` when the key was destroyed or is another one."""
    if SEALED not in row:
        return row
    kept = {name: value for name, value in row.items() if name != SEALED}
    plain = unseal_with(key, _place(table, row), base64.b64decode(str(row[SEALED]))) if key is not None else None
    return None if plain is None else {**kept, **json.loads(plain)}


def _place(table: Table, row: Mapping[str, object]) -> str:
    return f"{table.name}:{key_of(table, row)}"


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value


def _typed(column: Column[object], value: object) -> object:
    if value is None:
        return None
    if isinstance(column.type, Uuid):
        return UUID(str(value))
    if isinstance(column.type, Moment):
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(str(value))
    return value
