"""A batch of commits in one transaction: look at everything it touches, decide, write everything at once.

The row of ``meta`` is locked first, so batches of all nodes follow each other and a sequence is visible only after all
smaller ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from au_sys_storage_sdk.adapters.postgres.schema import CHANNEL, SCHEMA
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import checksum
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Emit, Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import plan
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import StorageError

Address = tuple[Space, str]

_LOCKED = f"SELECT sequence, standing FROM {SCHEMA}.meta FOR UPDATE"  # noqa: S608 - constants, here and below
_HEADS = f"""
SELECT d.tenant, d.ns, d.key, CASE WHEN length(d.value) <= 24 THEN d.value ELSE ''::bytea END, d.version, d.created,
       d.updated, d.expires
FROM unnest($1::text[], $2::text[], $3::text[]) AS a(tenant, ns, key)
JOIN {SCHEMA}.docs d ON d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
WHERE d.expires IS NULL OR d.expires > $4
"""  # noqa: S608 - constants
_PUT = f"""
INSERT INTO {SCHEMA}.docs(tenant, ns, key, value, version, created, updated, expires, schema, codec,
                          key_generation, crc)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::int[], $10::int[], $11::int[], $12::bigint[])
ON CONFLICT(tenant, ns, key) DO UPDATE SET value = excluded.value, version = excluded.version,
    created = excluded.created, updated = excluded.updated, expires = excluded.expires, schema = excluded.schema,
    codec = excluded.codec, key_generation = excluded.key_generation, crc = excluded.crc
"""  # noqa: S608 - constants
_DELETE = f"""
DELETE FROM {SCHEMA}.docs d USING unnest($1::text[], $2::text[], $3::text[]) AS a(tenant, ns, key)
WHERE d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
"""  # noqa: S608 - constants
_CHANGES = f"""
INSERT INTO {SCHEMA}.changes(seq, tenant, ns, key, event, at, data)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[])
"""  # noqa: S608 - constants
_LAST = f"""
INSERT INTO {SCHEMA}.spaces(tenant, ns, last) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT(tenant, ns) DO UPDATE SET last = greatest(spaces.last, excluded.last)
"""  # noqa: S608 - constants
_EXPIRED = f"SELECT tenant, ns, key FROM {SCHEMA}.docs WHERE expires <= $1 ORDER BY expires LIMIT $2"  # noqa: S608 - constants
_SWEPT_AT_ONCE = 1000


@dataclass(slots=True)
class Gathered:
    """What a batch writes."""

    records: dict[Address, Stored | None]
    changes: list[Change]
    sequence: int


async def apply(
    connection: asyncpg.Connection, commits: list[Sequence[Operation]], now: int, writer: Standing
) -> tuple[list[Sequence[Outcome] | Exception], int]:
    """Carry out a batch; a commit whose condition fails changes nothing and leaves the others alone.

    Raises:
        Fenced: documents were moved to another backend since the writer began.
    """
    answers: list[Sequence[Outcome] | Exception] = []
    async with connection.transaction():
        sequence = await _admitted(connection, writer)
        heads = await _heads(connection, commits, now)
        gathered = Gathered({}, [], sequence)
        for operations in commits:
            try:
                made = plan(
                    operations, lambda space, key: _state(gathered, heads, (space, key)), gathered.sequence, now
                )
            except StorageError as error:
                answers.append(error)
                continue
            gathered.records.update(made.records)
            gathered.changes += made.changes
            gathered.sequence = made.sequence
            answers.append(made.outcomes)
        if gathered.changes:
            await _write(connection, gathered)
    return answers, gathered.sequence


async def _admitted(connection: asyncpg.Connection, writer: Standing) -> int:
    """The sequence, with everybody else kept out until the transaction ends."""
    sequence, standing = await connection.fetchrow(_LOCKED)
    Standing.of(standing).admit("postgres", writer)
    return int(sequence)


def _state(gathered: Gathered, heads: dict[Address, Stored], address: Address) -> Stored | None:
    return gathered.records[address] if address in gathered.records else heads.get(address)


async def _heads(
    connection: asyncpg.Connection, commits: Iterable[Sequence[Operation]], now: int
) -> dict[Address, Stored]:
    addresses = {
        (operation.space, operation.key)
        for operations in commits
        for operation in operations
        if not isinstance(operation, Emit)
    }
    rows = await connection.fetch(_HEADS, *_columns(addresses), now)
    return {(Space(row[0], row[1]), row[2]): Stored(*tuple(row)[2:]) for row in rows}


def _columns(addresses: Iterable[Address]) -> tuple[list[str], list[str], list[str]]:
    listed = list(addresses)
    tenants = [space.tenant for space, _ in listed]
    return tenants, [space.namespace for space, _ in listed], [key for _, key in listed]


async def _write(connection: asyncpg.Connection, gathered: Gathered, last: dict[Space, int] | None = None) -> None:
    placed = [(address, record) for address, record in gathered.records.items() if record is not None]
    removed = [address for address, record in gathered.records.items() if record is None]
    if placed:
        rows = [
            (
                space.tenant, space.namespace, key, record.value, record.version, record.created, record.updated,
                record.expires, record.schema, record.codec, record.key_generation, checksum(space, record),
            )
            for (space, key), record in placed
        ]  # fmt: skip
        await connection.execute(_PUT, *map(list, zip(*rows, strict=True)))
    if removed:
        await connection.execute(_DELETE, *_columns(removed))
    await _note(connection, gathered, last or {change.space: change.seq for change in gathered.changes})


async def _note(connection: asyncpg.Connection, gathered: Gathered, last: dict[Space, int]) -> None:
    events = [
        (change.seq, change.space.tenant, change.space.namespace, change.key, change.event, change.at, change.data)
        for change in gathered.changes
    ]
    if events:
        await connection.execute(_CHANGES, *map(list, zip(*events, strict=True)))
    spaces = [(space.tenant, space.namespace, seen) for space, seen in last.items()]
    if spaces:
        await connection.execute(_LAST, *map(list, zip(*spaces, strict=True)))
    await connection.execute(f"UPDATE {SCHEMA}.meta SET sequence = $1", gathered.sequence)  # noqa: S608 - constants
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(gathered.sequence))


async def replicate(connection: asyncpg.Connection, replica: Replica) -> int:
    """Write what comes from another store as it is; the sequence."""
    async with connection.transaction():
        sequence = max(int(await connection.fetchval(_LOCKED)), replica.sequence)
        gathered = Gathered(dict(replica.records), list(replica.changes), sequence)
        if replica.changes:
            numbers = [change.seq for change in replica.changes]
            await connection.execute(f"DELETE FROM {SCHEMA}.changes WHERE seq = ANY($1::bigint[])", numbers)  # noqa: S608 - constants
        await _write(connection, gathered, dict(replica.last))
        if replica.compacted is not None:
            await connection.execute(f"UPDATE {SCHEMA}.meta SET compacted = $1", replica.compacted)  # noqa: S608 - constants
    return sequence


async def sweep(connection: asyncpg.Connection, now: int, writer: Standing) -> tuple[int, int]:
    """Remove some expired documents, with an event each; how many, and the sequence."""
    async with connection.transaction():
        sequence = await _admitted(connection, writer)
        gathered = Gathered({}, [], sequence)
        for tenant, namespace, key in await connection.fetch(_EXPIRED, now, _SWEPT_AT_ONCE):
            space = Space(tenant, namespace)
            gathered.sequence += 1
            gathered.records[space, key] = None
            gathered.changes.append(Change(gathered.sequence, space, key, "expire", now))
        if gathered.changes:
            await _write(connection, gathered)
    return len(gathered.changes), gathered.sequence


async def compact(connection: asyncpg.Connection, keep: int) -> int:
    """Forget all but the newest entries of the feed."""
    async with connection.transaction():
        cut = await connection.fetchval(_LOCKED) - keep
        if cut <= await connection.fetchval(f"SELECT compacted FROM {SCHEMA}.meta"):  # noqa: S608 - constants
            return 0
        status = await connection.execute(f"DELETE FROM {SCHEMA}.changes WHERE seq <= $1", cut)  # noqa: S608 - constants
        await connection.execute(f"UPDATE {SCHEMA}.meta SET compacted = $1", cut)  # noqa: S608 - constants
    return int(status.rpartition(" ")[2])


async def standing(connection: asyncpg.Connection) -> Standing:
    """What the database is among those that documents are moved between."""
    return Standing.of(await connection.fetchval(f"SELECT standing FROM {SCHEMA}.meta"))  # noqa: S608 - a constant


async def stand(connection: asyncpg.Connection, standing: Standing) -> None:
    """Make it something else, after the batch that is being written."""
    await connection.execute(f"UPDATE {SCHEMA}.meta SET standing = $1", standing.text)  # noqa: S608 - a constant


async def erase(connection: asyncpg.Connection) -> None:
    """Remove everything and begin the sequence anew."""
    async with connection.transaction():
        await connection.fetchval(_LOCKED)
        await connection.execute(f"TRUNCATE {SCHEMA}.docs, {SCHEMA}.changes, {SCHEMA}.spaces")
        await connection.execute(f"UPDATE {SCHEMA}.meta SET sequence = 0, compacted = 0")  # noqa: S608 - a constant
