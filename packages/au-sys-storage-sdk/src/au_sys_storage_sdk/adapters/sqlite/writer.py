"""The writing side: batches of commits in one SQLite transaction each. Every method runs on the one writer thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_storage_sdk.adapters.sqlite import reader
from au_sys_storage_sdk.adapters.sqlite.schema import Row, meta, open_writer
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.integrity import checksum, under
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.planning import plan, record
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.preconditions import require

_HEAD = (
    "SELECT key, CASE WHEN length(value) <= 24 THEN value ELSE x'' END, version, created, updated, expires"
    " FROM docs WHERE tenant = ? AND ns = ? AND key = ?"
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
_REPLICA = _CHANGE.replace("INSERT", "INSERT OR REPLACE")
_COMPACTED = "UPDATE meta SET value = ? WHERE name = 'compacted'"
_SEQUENCE = "UPDATE meta SET value = ? WHERE name = 'sequence'"
_STANDING = "INSERT OR REPLACE INTO meta VALUES('standing', ?)"
_SWEPT_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch did: one answer per commit, and where the sequence stands."""

    answers: list[Sequence[Outcome] | Exception]
    sequence: int
    last: dict[Space, int]


class _Batch:
    """What a transaction has gathered so far."""

    __slots__ = ("answers", "changes", "last", "now", "sequence")

    def __init__(self, sequence: int, now: int) -> None:
        self.sequence = sequence
        self.now = now
        self.answers: list[Sequence[Outcome] | Exception] = []
        self.changes: list[tuple[int, str, str, str, str, int, bytes | None]] = []
        self.last: dict[Space, int] = {}

    def note(self, row: tuple[int, str, str, str, str, int, bytes | None], space: Space) -> None:
        """Take the next number of the sequence, for an entry of the feed."""
        self.sequence = row[0]
        self.changes.append(row)
        self.last[space] = row[0]


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
        batch = _Batch(self.sequence, self._clock())
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for operations in commits:
                try:
                    if len(operations) == 1 and type(operations[0]) is Put:
                        outcomes: Sequence[Outcome] = (self._put(operations[0], batch),)
                    else:
                        outcomes = self._commit(operations, batch)
                except StorageError as error:
                    batch.answers.append(error)
                else:
                    batch.answers.append(outcomes)
            self._finish(batch)
        except BaseException:
            self._undo()
            raise
        return Committed(batch.answers, batch.sequence, batch.last)

    def _put(self, operation: Put, batch: _Batch) -> Outcome:
        """The most frequent commit without the general plan; the same decision."""
        space, key, now = operation.space, operation.key, batch.now
        found = self._head(space, key, now)
        require(operation.condition, found.version if found else None, space.namespace, key)
        version = batch.sequence + 1
        self._place(space, key, record(operation, found, version, now))
        batch.note((version, space.tenant, space.namespace, key, "put", now, None), space)
        return Outcome(version, None, found is None)

    def _commit(self, operations: Sequence[Operation], batch: _Batch) -> Sequence[Outcome]:
        made = plan(operations, lambda space, key: self._head(space, key, batch.now), batch.sequence, batch.now)
        for (space, key), placed in made.records.items():
            self._place(space, key, placed)
        for change in made.changes:
            batch.note(_row(change), change.space)
        return made.outcomes

    def _finish(self, batch: _Batch) -> None:
        for space, seen in batch.last.items():
            self._connection.execute(_LAST, (space.tenant, space.namespace, seen))
        if batch.changes:
            self._connection.executemany(_CHANGE, batch.changes)
            self._connection.execute(_SEQUENCE, (str(batch.sequence),))
        self._connection.execute("COMMIT")
        self.sequence = batch.sequence

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _head(self, space: Space, key: str, now: int) -> Stored | None:
        row: Row | None = self._connection.execute(_HEAD, (space.tenant, space.namespace, key)).fetchone()
        if row is None or (row[5] is not None and row[5] <= now):
            return None
        return under(key, Stored(*row))

    def _place(self, space: Space, key: str, placed: Stored | None) -> None:
        if placed is None:
            self._connection.execute(_DELETE, (space.tenant, space.namespace, key))
            return
        self._connection.execute(
            _PUT,
            (
                space.tenant, space.namespace, key, placed.value, placed.version, placed.expires, placed.schema,
                placed.codec, placed.key_generation, placed.created, placed.updated, checksum(space, placed),
            ),
        )  # fmt: skip

    def sweep(self) -> Committed:
        """Remove some expired documents, with an event each; the answers hold one entry per document."""
        self._standing.admit("sqlite", self._standing)
        batch = _Batch(self.sequence, self._clock())
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            rows: list[Row] = self._connection.execute(
                "SELECT tenant, ns, key FROM docs WHERE expires <= ? ORDER BY expires LIMIT ?",
                (batch.now, _SWEPT_AT_ONCE),
            ).fetchall()
            for tenant, namespace, key in rows:
                space = Space(tenant, namespace)
                self._place(space, key, None)
                batch.note((batch.sequence + 1, tenant, namespace, key, "expire", batch.now, None), space)
                batch.answers.append((Outcome(batch.sequence),))
            self._finish(batch)
        except BaseException:
            self._undo()
            raise
        return Committed(batch.answers, batch.sequence, batch.last)

    def replicate(self, replica: Replica) -> Committed:
        """Write what comes from another store as it is."""
        batch = _Batch(max(self.sequence, replica.sequence), self._clock())
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for (space, key), record in replica.records.items():
                self._place(space, key, record)
            self._connection.executemany(_REPLICA, map(_row, replica.changes))
            if replica.compacted is not None:
                self._connection.execute(_COMPACTED, (str(replica.compacted),))
            batch.last = {space: max(seen, self.last.get(space, 0)) for space, seen in replica.last.items()}
            self._connection.execute(_SEQUENCE, (str(batch.sequence),))
            self._finish(batch)
        except BaseException:
            self._undo()
            raise
        self.last.update(batch.last)
        self.compacted = self.compacted if replica.compacted is None else replica.compacted
        return Committed(batch.answers, batch.sequence, batch.last)

    def stand(self, standing: Standing) -> None:
        """Note what the file is among those that documents are moved between; one statement, so one transaction."""
        self._connection.execute(_STANDING, (standing.text,))
        self._standing = standing

    def erase(self) -> None:
        """Remove everything and begin the sequence anew."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table in ("docs", "changes", "spaces"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
            self._connection.execute("UPDATE meta SET value = '0' WHERE name IN ('sequence', 'compacted')")
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self.sequence = self.compacted = 0
        self.last.clear()

    def compact(self, keep: int) -> int:
        """Forget all but the newest entries of the feed."""
        cut = self.sequence - keep
        if cut <= self.compacted:
            return 0
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("DELETE FROM changes WHERE seq <= ?", (cut,))
            forgotten = self._connection.changes()
            self._connection.execute(_COMPACTED, (str(cut),))
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self.compacted = cut
        return forgotten

    def close(self) -> None:
        """Close the connection; SQLite folds the write-ahead log into the file when it is the last one."""
        try:
            self._connection.execute("PRAGMA optimize")
        finally:
            self._connection.close()
