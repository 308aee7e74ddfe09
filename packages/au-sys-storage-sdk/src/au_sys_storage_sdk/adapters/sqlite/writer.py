"""The writing side: batches of commits in one SQLite transaction each. Every method runs on the one writer thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_storage_sdk.adapters.sqlite.schema import Row, checksum, meta, open_writer
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import plan
from au_sys_storage_sdk.core.errors import StorageError

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
_SEQUENCE = "UPDATE meta SET value = ? WHERE name = 'sequence'"
_SWEPT_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch did: one answer per commit, and where the sequence stands."""

    answers: list[Sequence[Outcome] | Exception]
    sequence: int
    last: dict[Space, int]


class Writer:
    """Owns the writing connection and the sequence."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._connection = open_writer(path)
        self._clock = clock
        self.sequence = meta(self._connection, "sequence")
        self.compacted = meta(self._connection, "compacted")
        rows: list[Row] = self._connection.execute("SELECT tenant, ns, last FROM spaces").fetchall()
        self.last = {Space(tenant, namespace): last for tenant, namespace, last in rows}

    def apply(self, commits: list[Sequence[Operation]]) -> Committed:
        """Carry out a batch; a commit whose condition fails changes nothing and leaves the others alone."""
        sequence, now, last = self.sequence, self._clock(), dict[Space, int]()
        answers: list[Sequence[Outcome] | Exception] = []
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for operations in commits:
                try:
                    made = plan(operations, lambda space, key: self._head(space, key, now), sequence, now)
                except StorageError as error:
                    answers.append(error)
                    continue
                for (space, key), record in made.records.items():
                    self._place(space, key, record)
                for change in made.changes:
                    self._note(change)
                    last[change.space] = change.seq
                sequence = made.sequence
                answers.append(made.outcomes)
            self._finish(sequence, last)
        except BaseException:
            self._undo()
            raise
        return Committed(answers, sequence, last)

    def _finish(self, sequence: int, last: dict[Space, int]) -> None:
        for space, seen in last.items():
            self._connection.execute(_LAST, (space.tenant, space.namespace, seen))
        if sequence != self.sequence:
            self._connection.execute(_SEQUENCE, (str(sequence),))
        self._connection.execute("COMMIT")
        self.sequence = sequence

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _head(self, space: Space, key: str, now: int) -> Stored | None:
        row: Row | None = self._connection.execute(_HEAD, (space.tenant, space.namespace, key)).fetchone()
        if row is None or (row[5] is not None and row[5] <= now):
            return None
        return Stored(*row)

    def _place(self, space: Space, key: str, record: Stored | None) -> None:
        if record is None:
            self._connection.execute(_DELETE, (space.tenant, space.namespace, key))
            return
        self._connection.execute(
            _PUT,
            (
                space.tenant, space.namespace, key, record.value, record.version, record.expires, record.schema,
                record.codec, record.key_generation, record.created, record.updated, checksum(space, record),
            ),
        )  # fmt: skip

    def _note(self, change: Change) -> None:
        space = change.space
        self._connection.execute(
            _CHANGE, (change.seq, space.tenant, space.namespace, change.key, change.event, change.at, change.data)
        )

    def sweep(self) -> Committed:
        """Remove some expired documents, with an event each; the answers hold one entry per document."""
        now, sequence, last = self._clock(), self.sequence, dict[Space, int]()
        answers: list[Sequence[Outcome] | Exception] = []
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            rows: list[Row] = self._connection.execute(
                "SELECT tenant, ns, key FROM docs WHERE expires <= ? ORDER BY expires LIMIT ?", (now, _SWEPT_AT_ONCE)
            ).fetchall()
            for tenant, namespace, key in rows:
                sequence += 1
                space = Space(tenant, namespace)
                self._place(space, key, None)
                self._note(Change(sequence, space, key, "expire", now))
                last[space] = sequence
                answers.append((Outcome(sequence),))
            self._finish(sequence, last)
        except BaseException:
            self._undo()
            raise
        return Committed(answers, sequence, last)

    def compact(self, keep: int) -> int:
        """Forget all but the newest entries of the feed."""
        cut = self.sequence - keep
        if cut <= self.compacted:
            return 0
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("DELETE FROM changes WHERE seq <= ?", (cut,))
            forgotten = self._connection.changes()
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'compacted'", (str(cut),))
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
