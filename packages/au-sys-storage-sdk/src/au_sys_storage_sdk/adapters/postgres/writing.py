"""A batch of commits in two statements: look at everything it touches, then write everything if nobody was faster.

Writing begins with the row of ``meta``, so batches of all nodes follow each other and a sequence is visible only after
all smaller ones. Whoever was overtaken locks that row before looking again, and cannot be overtaken twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from au_sys_storage_sdk.adapters.postgres.schema import CHANNEL, SCHEMA
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import checksum, under
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import Address, Batch, touched
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Unavailable

Columns: TypeAlias = tuple[list[str], list[str], list[str]]

_LOCKED = f"SELECT sequence, standing FROM {SCHEMA}.meta FOR UPDATE"  # noqa: S608 - constants, here and below
_LOOK = f"""
SELECT m.sequence, m.standing, a.number, d.key,
       CASE WHEN length(d.value) <= 24 THEN d.value ELSE ''::bytea END, d.version, d.created, d.updated, d.expires
FROM {SCHEMA}.meta m LEFT JOIN (
    unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a(tenant, ns, key, number)
    JOIN {SCHEMA}.docs d ON d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
    AND (d.expires IS NULL OR d.expires > $4)
) ON true
"""  # noqa: S608 - constants
_WRITE = f"""
WITH first AS (
    UPDATE {SCHEMA}.meta SET sequence = $2 WHERE sequence = $1 AND standing = $3 RETURNING 1
), placed AS (
    INSERT INTO {SCHEMA}.docs(tenant, ns, key, value, version, created, updated, expires, schema, codec,
                              key_generation, crc)
    SELECT a.* FROM first, unnest($4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[], $9::bigint[],
                                  $10::bigint[], $11::bigint[], $12::int[], $13::int[], $14::int[], $15::bigint[]) AS a
    ON CONFLICT(tenant, ns, key) DO UPDATE SET value = excluded.value, version = excluded.version,
        created = excluded.created, updated = excluded.updated, expires = excluded.expires, schema = excluded.schema,
        codec = excluded.codec, key_generation = excluded.key_generation, crc = excluded.crc
), removed AS (
    DELETE FROM {SCHEMA}.docs d USING first, unnest($16::text[], $17::text[], $18::text[]) AS a(tenant, ns, key)
    WHERE d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
), noted AS (
    INSERT INTO {SCHEMA}.changes(seq, tenant, ns, key, event, at, data)
    SELECT a.* FROM first, unnest($19::bigint[], $20::text[], $21::text[], $22::text[], $23::text[], $24::bigint[],
                                  $25::bytea[]) AS a
), reached AS (
    INSERT INTO {SCHEMA}.spaces(tenant, ns, last)
    SELECT a.* FROM first, unnest($26::text[], $27::text[], $28::bigint[]) AS a
    ON CONFLICT(tenant, ns) DO UPDATE SET last = greatest(spaces.last, excluded.last)
)
SELECT pg_notify('{CHANNEL}', $2::text) FROM first
"""  # noqa: S608 - constants
_KNOWN_BEFORE = f"DELETE FROM {SCHEMA}.changes WHERE seq = ANY($1::bigint[])"  # noqa: S608 - constants
_EXPIRED = f"SELECT tenant, ns, key FROM {SCHEMA}.docs WHERE expires <= $1 ORDER BY expires LIMIT $2"  # noqa: S608 - constants
_SWEPT_AT_ONCE = 1000


async def apply(
    connection: asyncpg.Connection, commits: list[Sequence[Operation]], now: int, writer: Standing
) -> tuple[list[Sequence[Outcome] | Exception], int]:
    """Carry out a batch; a commit whose condition fails changes nothing and leaves the others alone.

    Raises:
        Fenced: documents were moved to another backend since the writer began.
    """
    columns = _columns(touched(commits))
    done = await _tried(connection, commits, columns, now, writer)
    if done is None:
        async with connection.transaction():
            await connection.fetchrow(_LOCKED)
            done = await _tried(connection, commits, columns, now, writer)
    if done is None:
        raise Unavailable("the sequence moved although it was locked")
    return done


async def _tried(
    connection: asyncpg.Connection, commits: list[Sequence[Operation]], columns: Columns, now: int, writer: Standing
) -> tuple[list[Sequence[Outcome] | Exception], int] | None:
    """The answers and the sequence; ``None`` when somebody was faster, and nothing was written."""
    rows = await connection.fetch(_LOOK, *columns, now)
    sequence, standing = rows[0][:2]
    Standing.of(standing).admit("postgres", writer)
    batch = Batch(sequence, now, dict(_heads(rows, columns)))
    answers: list[Sequence[Outcome] | Exception] = [batch.decide(operations) for operations in commits]
    if batch.changes and not await _write(connection, batch.before, _Written.of(batch), writer):
        return None
    return answers, batch.sequence


def _heads(rows: Iterable[asyncpg.Record], columns: Columns) -> Iterator[tuple[Address, Stored]]:
    tenants, namespaces, keys = columns
    for _, _, number, *found in rows:
        if number is not None:
            at = number - 1
            yield (Space(tenants[at], namespaces[at]), keys[at]), under(keys[at], Stored(*found))


def _columns(addresses: Iterable[Address]) -> Columns:
    listed = list(addresses)
    tenants = [space.tenant for space, _ in listed]
    return tenants, [space.namespace for space, _ in listed], [key for _, key in listed]


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written at once."""

    records: Mapping[Address, Stored | None]
    changes: Sequence[Change]
    last: Mapping[Space, int]
    sequence: int

    @classmethod
    def of(cls, batch: Batch) -> _Written:
        return cls(batch.records, batch.changes, batch.last, batch.sequence)


async def _write(connection: asyncpg.Connection, before: int, what: _Written, writer: Standing) -> bool:
    """Whether the sequence still was ``before`` (and the standing the writer's), and so everything was written."""
    placed = [
        (
            space.tenant, space.namespace, key, record.value, record.version, record.created, record.updated,
            record.expires, record.schema, record.codec, record.key_generation, checksum(space, record),
        )
        for (space, key), record in what.records.items() if record is not None
    ]  # fmt: skip
    removed = _columns(address for address, record in what.records.items() if record is None)
    events = [
        (change.seq, change.space.tenant, change.space.namespace, change.key, change.event, change.at, change.data)
        for change in what.changes
    ]
    reached = [(space.tenant, space.namespace, seen) for space, seen in what.last.items()]
    answer = await connection.fetch(
        _WRITE, before, what.sequence, writer.text, *_turned(placed, 12), *removed,
        *_turned(events, 7), *_turned(reached, 3),
    )  # fmt: skip
    return bool(answer)


def _turned(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


async def replicate(connection: asyncpg.Connection, replica: Replica) -> int:
    """Write what comes from another store as it is; the sequence."""
    async with connection.transaction():
        before, standing = await connection.fetchrow(_LOCKED)
        sequence = max(int(before), replica.sequence)
        await connection.execute(_KNOWN_BEFORE, [change.seq for change in replica.changes])
        what = _Written(replica.records, replica.changes, replica.last, sequence)
        await _write(connection, before, what, Standing.of(standing))
        if replica.compacted is not None:
            await connection.execute(f"UPDATE {SCHEMA}.meta SET compacted = $1", replica.compacted)  # noqa: S608 - constants
    return sequence


async def sweep(connection: asyncpg.Connection, now: int, writer: Standing) -> tuple[int, int]:
    """Remove some expired documents, with an event each; how many, and the sequence."""
    async with connection.transaction():
        sequence, standing = await connection.fetchrow(_LOCKED)
        Standing.of(standing).admit("postgres", writer)
        batch = Batch(sequence, now, {})
        for tenant, namespace, key in await connection.fetch(_EXPIRED, now, _SWEPT_AT_ONCE):
            batch.expire(Space(tenant, namespace), key)
        if batch.changes:
            await _write(connection, sequence, _Written.of(batch), writer)
    return len(batch.changes), batch.sequence


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
