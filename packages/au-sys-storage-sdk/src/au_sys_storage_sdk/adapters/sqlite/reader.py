"""The reading side: look-ups on connections that never write."""

from __future__ import annotations

from typing import NamedTuple

import apsw

from au_sys_storage_sdk.adapters.sqlite.schema import RECORD, Row, head_of, meta, record_of
from au_sys_storage_sdk.core.address import Space, after_prefix
from au_sys_storage_sdk.core.documents.integrity import following, under
from au_sys_storage_sdk.core.documents.models import Change, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import FeedCompacted
from au_sys_storage_sdk.core.paging import Page

SMALL = 64 * 1024
"""Values up to this size are read on the event loop itself: it costs less than a change of thread."""

_WINDOW = 2000

_FIND = (
    "SELECT key, CASE WHEN length(value) <= ? THEN value END, version, created, updated, expires, schema, codec,"
    " key_generation, crc FROM docs WHERE tenant = ? AND ns = ? AND key = ? AND (expires IS NULL OR expires > ?)"
)
_LAST = b""
"""Behind every key: SQLite sorts bytes behind text."""
_EMPTY = RECORD.replace("value,", "x'',")


class _Range(NamedTuple):
    """What is asked of the live documents from a place on."""

    page: str
    keys: str
    total: str

    @classmethod
    def of(cls, sign: str) -> _Range:
        """The statements for a place that counts (``>=``) or not (``>``)."""
        live = (
            f"FROM docs WHERE tenant = ? AND ns = ? AND key {sign} ? AND key < ? AND (expires IS NULL OR expires > ?)"
        )
        paged = f"{live} ORDER BY key LIMIT ?"
        return cls(f"SELECT {RECORD} {paged}", f"SELECT {_EMPTY} {paged}", f"SELECT count(*) {live}")


_FROM_PREFIX, _BEHIND = _Range.of(">="), _Range.of(">")
_HEAD = f"SELECT {_EMPTY} FROM docs WHERE tenant = ? AND ns = ? AND key = ? AND (expires IS NULL OR expires > ?)"  # noqa: S608 - constants


class LargeValue(Exception):
    """The value is too large to be read on the event loop."""


def find(connection: apsw.Connection, space: Space, key: str, now: int, largest: int) -> Stored | None:
    """A live document. Raises ``LargeValue`` when its value is over ``largest`` bytes, and ``Corrupt``."""
    row: Row | None = connection.execute(_FIND, (largest, space.tenant, space.namespace, key, now)).fetchone()
    if row is None:
        return None
    if row[1] is None:
        raise LargeValue
    return under(key, record_of(space, row))


def head(connection: apsw.Connection, space: Space, key: str, now: int) -> Stored | None:
    """A live document without its value."""
    row: Row | None = connection.execute(_HEAD, (space.tenant, space.namespace, key, now)).fetchone()
    return None if row is None else under(key, head_of(space, row))


def page(
    connection: apsw.Connection, space: Space, prefix: str, after: str, now: int, limit: int, max_bytes: int
) -> Page[Stored]:
    """Live documents in key order. Raises ``Corrupt``."""
    items: list[Stored] = []
    size = 0
    asked, given = _range(space, prefix, after, now)
    for row in connection.execute(asked.page, (*given, limit + 1)):
        size += len(row[1])
        if len(items) == limit or (items and size > max_bytes):
            return Page(tuple(items), items[-1].key)
        items.append(following(items, record_of(space, row)))
    return Page(tuple(items))


def page_of_keys(
    connection: apsw.Connection, space: Space, prefix: str, after: str, now: int, limit: int
) -> Page[Stored]:
    """The same without values."""
    asked, given = _range(space, prefix, after, now)
    rows: list[Row] = connection.execute(asked.keys, (*given, limit + 1)).fetchall()
    items: list[Stored] = []
    for row in rows[:limit]:
        items.append(following(items, head_of(space, row)))
    return Page(tuple(items), items[-1].key if len(rows) > limit else None)


def count(connection: apsw.Connection, space: Space, prefix: str, now: int) -> int:
    """How many live documents there are."""
    asked, given = _range(space, prefix, "", now)
    return int(connection.execute(asked.total, given).get)


def _range(space: Space, prefix: str, after: str, now: int) -> tuple[_Range, tuple[str | bytes | int, ...]]:
    """One lower bound, whichever is greater: of two the index would use the first and walk past the rest."""
    asked, lower = (_BEHIND, after) if after >= prefix and after else (_FROM_PREFIX, prefix)
    return asked, (space.tenant, space.namespace, lower, after_prefix(prefix) or _LAST, now)


def changes(connection: apsw.Connection, since: int, limit: int, space: Space | None) -> tuple[list[Change], int]:
    """Entries of the feed after ``since``, and how far was looked. Raises ``FeedCompacted``."""
    if since < meta(connection, "compacted"):
        raise FeedCompacted(since, meta(connection, "sequence"))
    rows: list[Row] = connection.execute(
        "SELECT seq, tenant, ns, key, event, at, data FROM changes WHERE seq > ? ORDER BY seq LIMIT ?", (since, _WINDOW)
    ).fetchall()
    found = [
        Change(seq, Space(tenant, ns), key, event, at, data)
        for seq, tenant, ns, key, event, at, data in rows
        if space is None or (tenant, ns) == (space.tenant, space.namespace)
    ]
    if len(found) > limit:
        return found[:limit], found[limit - 1].seq
    return found, rows[-1][0] if rows else since


def standing(connection: apsw.Connection) -> Standing:
    """What the file is among those that documents are moved between."""
    text: str | None = connection.execute("SELECT value FROM meta WHERE name = 'standing'").get
    return Standing.of(text)


def usage(connection: apsw.Connection) -> list[SpaceUsage]:
    """Count and size of every namespace."""
    rows: list[Row] = connection.execute(
        "SELECT tenant, ns, count(*), sum(length(value)), (SELECT last FROM spaces s WHERE s.tenant = docs.tenant"
        " AND s.ns = docs.ns) FROM docs GROUP BY tenant, ns"
    ).fetchall()
    return [SpaceUsage(*row) for row in rows]
