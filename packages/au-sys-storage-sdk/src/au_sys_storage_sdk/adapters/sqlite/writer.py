"""The writing side: batches of commits in one SQLite transaction each. Every method runs on the one writer thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from au_sys_storage_sdk.adapters.sqlite import reader
from au_sys_storage_sdk.adapters.sqlite.schema import Row, meta, open_writer
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.integrity import checksum, under
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import SHORT, Address, Batch, touched
from au_sys_storage_sdk.core.documents.standing import Standing

_HEADS = (
    f"SELECT asked.value, d.key, CASE WHEN length(d.value) <= {SHORT} THEN d.value ELSE x'' END, d.version,"  # noqa: S608 - a constant
    " d.created, d.updated, d.expires FROM carray(?) AS asked CROSS JOIN docs d"
    " ON d.tenant = ? AND d.ns = ? AND d.key = asked.value"
)
_PUT = (
    "INSERT INTO docs(tenant, ns, key, value, version, expires, schema, codec, key_generation, created, updated, crc)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(tenant, ns, key) DO UPDATE SET value = excluded.value,"
    " version = excluded.version, expires = excluded.expires, schema = excluded.schema, codec = excluded.codec,"
    " key_generation = excluded.key_generation, created = excluded.created, updated = excluded.updated,"
    " crc = excluded.crc"
)
_DELETE = "DELETE FROM docs WHERE tenant = ? AND ns = ? AND key = ?"
_CHANGE = "INSERT INTO changes(seq, tenant, ns, key, event, at, data) VALUES(?, ?, ?, ?, ?, ?, ?)"
_LAST = (
    "INSERT INTO spaces(tenant, ns, last) VALUES(?, ?, ?) ON CONFLICT(tenant, ns) DO UPDATE SET last = excluded.last"
)
_AGAIN = _CHANGE.replace("INSERT", "INSERT OR REPLACE")
_COMPACTED = "UPDATE meta SET value = ? WHERE name = 'compacted'"
_SEQUENCE = "UPDATE meta SET value = ? WHERE name = 'sequence'"
_STANDING = "INSERT OR REPLACE INTO meta VALUES('standing', ?)"
_EXPIRED = "SELECT tenant, ns, key FROM docs WHERE expires <= ? ORDER BY expires LIMIT ?"
_SWEPT_AT_ONCE = 1000
_AT_A_TIME = 16
"""Commits that are decided before they are written: the event loop has to wait for the first, not for the second."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch did: one answer per commit, and where the sequence stands."""

    answers: list[Sequence[Outcome] | Exception]
    sequence: int
    last: dict[Space, int]


def _row(change: Change) -> tuple[int, str, str, str, str, int, bytes | None]:
    space = change.space
    return change.seq, space.tenant, space.namespace, change.key, change.event, change.at, change.data


class Writer:
    """Owns the writing connection and the sequence."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._connection = open_writer(path)
        self._clock = clock
        self.sequence = meta(self._connection, "sequence")
        self.compacted = meta(self._connection, "compacted")
        self._standing = reader.standing(self._connection)
        rows: list[Row] = self._connection.execute("SELECT tenant, ns, last FROM spaces").fetchall()
        self.last = {Space(tenant, namespace): last for tenant, namespace, last in rows}

    def apply(self, commits: list[Sequence[Operation]]) -> Committed:
        """Carry out a batch; a commit whose condition fails changes nothing and leaves the others alone.

        Raises:
            Fenced: documents were moved to another backend.
        """
        self._standing.admit("sqlite", self._standing)
        with self._transaction():
            batch = Batch(self.sequence, self._clock(), self._heads(touched(commits)))
            answers: list[Sequence[Outcome] | Exception] = []
            for start in range(0, len(commits), _AT_A_TIME):
                some = commits[start : start + _AT_A_TIME]
                answers += batch.decide_all(some)
                records = batch.records
                self._write({address: records[address] for address in touched(some) if address in records})
            self._note(batch.changes, batch.last, batch.sequence)
        self.sequence = batch.sequence
        return Committed(answers, batch.sequence, batch.last)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _heads(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        """What lies there, without the larger values."""
        by_space: dict[Space, list[str]] = {}
        for space, key in addresses:
            by_space.setdefault(space, []).append(key)
        heads: dict[Address, Stored] = {}
        for space, keys in by_space.items():
            asked = (apsw.carray(tuple(keys)), space.tenant, space.namespace)
            for key, *row in self._connection.execute(_HEADS, asked):
                heads[space, key] = under(key, Stored(*row))
        return heads

    def _write(self, records: Mapping[Address, Stored | None]) -> None:
        placed, removed = list[Row](), list[Row]()
        for (space, key), record in records.items():
            if record is None:
                removed.append((space.tenant, space.namespace, key))
                continue
            row = (
                space.tenant, space.namespace, key, record.value, record.version, record.expires, record.schema,
                record.codec, record.key_generation, record.created, record.updated, checksum(space, record),
            )  # fmt: skip
            placed.append(row)
        self._connection.executemany(_PUT, placed)
        self._connection.executemany(_DELETE, removed)

    def _note(self, changes: Sequence[Change], last: Mapping[Space, int], sequence: int, how: str = _CHANGE) -> None:
        self._connection.executemany(how, map(_row, changes))
        self._connection.executemany(_LAST, ((space.tenant, space.namespace, seen) for space, seen in last.items()))
        if sequence != self.sequence:
            self._connection.execute(_SEQUENCE, (str(sequence),))

    def sweep(self) -> Committed:
        """Remove some expired documents, with an event each; the answers hold one entry per document."""
        self._standing.admit("sqlite", self._standing)
        with self._transaction():
            batch = Batch(self.sequence, self._clock(), {})
            rows: list[Row] = self._connection.execute(_EXPIRED, (batch.now, _SWEPT_AT_ONCE)).fetchall()
            for tenant, namespace, key in rows:
                batch.expire(Space(tenant, namespace), key)
            self._write(batch.records)
            self._note(batch.changes, batch.last, batch.sequence)
        self.sequence = batch.sequence
        return Committed([(Outcome(change.seq),) for change in batch.changes], batch.sequence, batch.last)

    def replicate(self, replica: Replica) -> Committed:
        """Write what comes from another store as it is."""
        sequence = max(self.sequence, replica.sequence)
        last = {space: max(seen, self.last.get(space, 0)) for space, seen in replica.last.items()}
        with self._transaction():
            if replica.compacted is not None:
                self._connection.execute(_COMPACTED, (str(replica.compacted),))
            self._write(replica.records)
            self._note(replica.changes, last, sequence, _AGAIN)
        self.sequence = sequence
        self.last.update(last)
        self.compacted = self.compacted if replica.compacted is None else replica.compacted
        return Committed([], sequence, last)

    def stand(self, standing: Standing) -> None:
        """Note what the file is among those that documents are moved between; one statement, so one transaction."""
        self._connection.execute(_STANDING, (standing.text,))
        self._standing = standing

    def erase(self) -> None:
        """Remove everything and begin the sequence anew."""
        with self._transaction():
            for table in ("docs", "changes", "spaces"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
            self._connection.execute("UPDATE meta SET value = '0' WHERE name IN ('sequence', 'compacted')")
        self.sequence = self.compacted = 0
        self.last.clear()

    def compact(self, keep: int) -> int:
        """Forget all but the newest entries of the feed."""
        cut = self.sequence - keep
        if cut <= self.compacted:
            return 0
        with self._transaction():
            self._connection.execute("DELETE FROM changes WHERE seq <= ?", (cut,))
            forgotten = self._connection.changes()
            self._connection.execute(_COMPACTED, (str(cut),))
        self.compacted = cut
        return forgotten

    def close(self) -> None:
        """Close the connection; SQLite folds the write-ahead log into the file when it is the last one."""
        try:
            self._connection.execute("PRAGMA optimize")
        finally:
            self._connection.close()
