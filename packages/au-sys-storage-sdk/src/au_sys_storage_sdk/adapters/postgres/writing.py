"""A batch of commits in two statements: look at everything it touches, then write everything if nobody was faster.

Writing ends with the row of ``meta``, so batches of all nodes follow each other and a sequence is visible only after
all smaller ones. Whoever was overtaken keeps all others out before looking again, and cannot be overtaken twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from au_sys_storage_sdk.adapters.postgres.placing import ALONE, FUNCTION, SCHEMA
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import checksum, under
from au_sys_storage_sdk.core.documents.line import Answers, Tip, Turn, new_mark
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Operation
from au_sys_storage_sdk.core.documents.planning import SHORT, Address, Batch, touched
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Unavailable

Columns: TypeAlias = tuple[list[str], list[str], list[str]]

_LOOK = f"""
SELECT m.sequence, m.mark, m.standing, a.number, d.key,
       CASE WHEN length(d.value) <= {SHORT} THEN d.value ELSE ''::bytea END, d.version, d.created, d.updated, d.expires
FROM {SCHEMA}.meta m LEFT JOIN (
    unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a(tenant, ns, key, number)
    JOIN {SCHEMA}.docs d ON d.tenant = a.tenant AND d.ns = a.ns AND d.key = a.key
) ON true
"""  # noqa: S608 - constants
_WRITE = f"""
SELECT {FUNCTION}($1, $2, $3::text::bigint[], $4, $5, $6, $7,
    $8::text::text[], $9::text::text[], $10::text::text[], $11, $12::text::bigint[], $13::text::bigint[],
    $14::text::bigint[], $15::text::bigint[], $16::text::int[], $17::text::int[], $18::text::int[],
    $19::text::bigint[], $20::text::text[], $21::text::text[], $22::text::text[], $23, $24::text::bigint[],
    $25::text::text[], $26::text::text[], $27::text::text[], $28::text::text[], $29::text::bigint[], $30,
    $31::text::text[], $32::text::text[], $33::text::bigint[])
"""
_KNOWN_BEFORE = f"DELETE FROM {SCHEMA}.changes WHERE seq = ANY($1::bigint[])"  # noqa: S608 - constants
_EXPIRED = f"SELECT tenant, ns, key FROM {SCHEMA}.docs WHERE expires <= $1 ORDER BY expires LIMIT $2"  # noqa: S608 - constants
_SWEPT_AT_ONCE = 1000
_MOMENT = "50ms"
"""How long a batch waits for documents that another node is writing; then it is decided anew."""


async def look(
    connection: asyncpg.Connection, addresses: Sequence[Address], writer: Standing
) -> tuple[Tip, dict[Address, Stored]]:
    """The tip, and what lies at the addresses without the larger values.

    Raises:
        Fenced: documents were moved to another backend since the writer began.
    """
    columns = _columns(addresses)
    rows = await connection.fetch(_LOOK, *columns)
    sequence, mark, standing = rows[0][:3]
    Standing.of(standing).admit("postgres", writer)
    return Tip(sequence, mark), dict(_heads(rows, columns))


async def write(connection: asyncpg.Connection, turn: Turn, writer: Standing) -> bool:
    """Whether the store came to the tip of the turn, and so everything was written; nothing was otherwise."""
    place = _Place(turn.upon, writer.text, turn.mark, turn.ahead, _MOMENT)
    return await _write(connection, place, _Written.of(turn.batch))


async def apply(
    connection: asyncpg.Connection, commits: list[Sequence[Operation]], now: int, writer: Standing
) -> tuple[Answers, int]:
    """The same with everybody else kept out.

    Raises:
        Fenced: documents were moved to another backend since the writer began.
    """
    async with _nobody_beside(connection):
        tip, seen = await look(connection, touched(commits), writer)
        batch = Batch(tip.sequence, now, seen)
        answers = batch.decide_all(commits)
        if batch.changes:
            await _write_alone(connection, tip, writer.text, _Written.of(batch))
    return answers, batch.sequence


@asynccontextmanager
async def _nobody_beside(connection: asyncpg.Connection) -> AsyncIterator[tuple[Tip, str]]:
    """A transaction while which nobody else writes; the tip and the standing at its beginning."""
    async with connection.transaction():
        sequence, mark, standing = await connection.fetchrow(ALONE)
        yield Tip(sequence, mark), standing


def _heads(rows: Iterable[asyncpg.Record], columns: Columns) -> Iterator[tuple[Address, Stored]]:
    tenants, namespaces, keys = columns
    for _, _, _, number, *found in rows:
        if number is not None:
            at = number - 1
            yield (Space(tenants[at], namespaces[at]), keys[at]), under(keys[at], Stored(*found))


def _columns(addresses: Iterable[Address]) -> Columns:
    listed = list(addresses)
    tenants = [space.tenant for space, _ in listed]
    return tenants, [space.namespace for space, _ in listed], [key for _, key in listed]


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written at once. ``noted``: each record that is placed is an entry of the feed as well, so that
    ``changes`` holds the others only.
    """

    records: Mapping[Address, Stored | None]
    changes: Sequence[Change]
    last: Mapping[Space, int]
    sequence: int
    noted: bool

    @classmethod
    def of(cls, batch: Batch) -> _Written:
        placed = {record.version for record in batch.records.values() if record is not None}
        others = [] if len(placed) == len(batch.changes) else [c for c in batch.changes if c.seq not in placed]
        return cls(batch.records, others, batch.last, batch.sequence, noted=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """After which tip, with which mark, behind which others that may still be on their way; under which standing."""

    upon: Tip
    standing: str
    mark: int = field(default_factory=new_mark)
    ahead: tuple[int, ...] = ()
    patience: str = "0"


async def _write(connection: asyncpg.Connection, place: _Place, what: _Written) -> bool:
    """Whether the tip (and the standing) was the one of the place, and so everything was written."""
    addresses = [address for address, record in what.records.items() if record is not None]
    records = [record for record in what.records.values() if record is not None]
    removed = [address for address, record in what.records.items() if record is None]
    rows = await connection.fetch(
        _WRITE, place.upon.sequence, place.upon.mark, _numbers(list(place.ahead)), what.sequence, place.mark,
        place.standing, place.patience, *_texts_of(addresses),
        [record.value for record in records], _numbers([record.version for record in records]),
        _numbers([record.created for record in records]), _numbers([record.updated for record in records]),
        _numbers([record.expires for record in records]), _numbers([record.schema for record in records]),
        _numbers([record.codec for record in records]), _numbers([record.key_generation for record in records]),
        _numbers([checksum(space, record) for (space, _), record in zip(addresses, records, strict=True)]),
        *_texts_of(removed), what.noted, _numbers([change.seq for change in what.changes]),
        *_texts_of([(change.space, change.key) for change in what.changes]),
        _texts([change.event for change in what.changes]), _numbers([change.at for change in what.changes]),
        [change.data for change in what.changes], _texts([space.tenant for space in what.last]),
        _texts([space.namespace for space in what.last]), _numbers(list(what.last.values())),
    )  # fmt: skip
    return bool(rows[0][0])


async def _write_alone(connection: asyncpg.Connection, tip: Tip, standing: str, what: _Written) -> None:
    if not await _write(connection, _Place(tip, standing), what):
        raise Unavailable("somebody else writes to the tables of storage")


def _texts_of(addresses: Sequence[Address]) -> tuple[str, str, str]:
    spaces = [space for space, _ in addresses]
    return (
        _texts([space.tenant for space in spaces]), _texts([space.namespace for space in spaces]),
        _texts([key for _, key in addresses]),
    )  # fmt: skip


def _texts(column: list[str]) -> str:
    """An array of PostgreSQL as text, as for numbers; what stands in quotes must not hold one."""
    if not column:
        return "{}"
    joined = '","'.join(column)
    if "\\" in joined or joined.count('"') != 2 * (len(column) - 1):
        joined = '","'.join([text.replace("\\", "\\\\").replace('"', '\\"') for text in column])
    return '{"' + joined + '"}'


def _numbers(column: list[int] | list[int | None]) -> str:
    """An array of PostgreSQL as text: the client would look at each number several times."""
    return "{" + str(column)[1:-1].replace("None", "NULL") + "}"


async def replicate(connection: asyncpg.Connection, replica: Replica) -> int:
    """Write what comes from another store as it is; the sequence."""
    async with _nobody_beside(connection) as (tip, standing):
        sequence = max(tip.sequence, replica.sequence)
        await connection.execute(_KNOWN_BEFORE, [change.seq for change in replica.changes])
        what = _Written(replica.records, replica.changes, replica.last, sequence, noted=False)
        await _write_alone(connection, tip, standing, what)
        if replica.compacted is not None:
            await connection.execute(f"UPDATE {SCHEMA}.meta SET compacted = $1", replica.compacted)  # noqa: S608 - constants
    return sequence


async def sweep(connection: asyncpg.Connection, now: int, writer: Standing) -> tuple[int, int]:
    """Remove some expired documents, with an event each; how many, and the sequence."""
    async with _nobody_beside(connection) as (tip, standing):
        Standing.of(standing).admit("postgres", writer)
        batch = Batch(tip.sequence, now, {})
        for tenant, namespace, key in await connection.fetch(_EXPIRED, now, _SWEPT_AT_ONCE):
            batch.expire(Space(tenant, namespace), key)
        if batch.changes:
            await _write_alone(connection, tip, standing, _Written.of(batch))
    return len(batch.changes), batch.sequence


async def compact(connection: asyncpg.Connection, keep: int) -> int:
    """Forget all but the newest entries of the feed."""
    async with _nobody_beside(connection) as (tip, _):
        cut = tip.sequence - keep
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
    async with _nobody_beside(connection):
        await connection.execute(f"TRUNCATE {SCHEMA}.docs, {SCHEMA}.changes, {SCHEMA}.spaces")
        statement = f"UPDATE {SCHEMA}.meta SET sequence = 0, compacted = 0, mark = $1"  # noqa: S608 - a constant
        await connection.execute(statement, new_mark())
