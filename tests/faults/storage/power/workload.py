"""What runs while the power fails: every kind of write on the SQLite backend's writer, with the reference model beside.

A step is one transaction of the writer: a batch of commits, a sweep, a compaction, a page of another store. After the
cut the file has to hold the state after a step that was acknowledged or was under way, and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from tests.faults.storage.power.disk import Disk

from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.adapters.sqlite.writer import Writer
from au_sys_storage_sdk.core.address import Space, space
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Delete, Emit, Increment, Operation, Put
from au_sys_storage_sdk.core.errors import StorageError

SPACES = (space("notes"), space("notes", "other"), space("counts"))
FIRST = 1_700_000_000_000


class Moving:
    """A clock that goes on by a millisecond a step."""

    def __init__(self) -> None:
        self.now = FIRST

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is stored after a step."""

    sequence: int
    compacted: int
    records: dict[tuple[Space, str], Stored]
    changes: tuple[Change, ...]


def in_any_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The feed without the keys of what expired: backends are free in the order, and compaction may cut through it."""
    return tuple(replace(change, space=SPACES[0], key="") if change.event == "expire" else change for change in changes)


class Model(MemoryDocuments):
    """The reference model, with all of its state in view."""

    def state(self) -> State:
        """What is stored now."""
        records = {(where, key): found for where, known in self._records.items() for key, found in known.items()}
        return State(self._arrival.sequence, self._compacted, records, in_any_order(self._changes))


class Workload:
    """Some steps drawn from a seed. ``states[n]`` is what is stored after n steps."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"workload {seed}")
        self.clock = Moving()
        self.model = Model(clock=self.clock)
        self.states = [self.model.state()]
        self._size = self.chance.choice((20, 300, 3000))
        self._steps = self.chance.randrange(6, 16)
        self._checkpoint = self.chance.choice((3, 12, 10_000))

    async def run(self, path: Path, disk: Disk, *, spoil: Callable[[Writer], None] | None = None) -> None:
        """Carry the steps out on a new file, with a stop and a start somewhere; ``spoil`` plants an error."""
        writer = self._open(path, spoil)
        again = self.chance.randrange(self._steps)
        for number in range(self._steps):
            if number == again:
                writer.close()
                writer = self._open(path, spoil)
            self.clock.now += 1
            await self._step(writer)
            self.states.append(self.model.state())
            disk.mark = len(self.states) - 1
        writer.close()

    def _open(self, path: Path, spoil: Callable[[Writer], None] | None) -> Writer:
        writer = Writer(path, self.clock)
        writer._connection.execute(f"PRAGMA wal_autocheckpoint={self._checkpoint}")
        if spoil is not None:
            spoil(writer)
        return writer

    async def _step(self, writer: Writer) -> None:
        kind = self.chance.randrange(12)
        if kind == 0:
            writer.sweep()
            await self.model.sweep()
        elif kind == 1:
            keep = self.chance.randrange(20)
            writer.compact(keep)
            await self.model.compact(keep)
        elif kind == 2:
            replica = self._replica(writer.sequence)
            writer.replicate(replica)
            await self.model.replicate(replica)
        else:
            await self._batch(writer)

    async def _batch(self, writer: Writer) -> None:
        commits = [self._commit() for _ in range(self.chance.choice((1, 1, 2, 8)))]
        writer.apply(commits)
        for commit in commits:
            try:
                await self.model.commit(commit)
            except StorageError:
                continue

    def _commit(self) -> Sequence[Operation]:
        return tuple(self._operation() for _ in range(self.chance.choice((1, 1, 1, 3))))

    def _operation(self) -> Operation:
        where, key = self.chance.choice(SPACES[:2]), f"k/{self.chance.randrange(12)}"
        kind = self.chance.randrange(10)
        if kind == 0:
            return Delete(where, key)
        if kind == 1:
            return Increment(SPACES[2], key, self.chance.randrange(9))
        if kind == 2:
            return Emit(where, key, b"event")
        ttl = self.chance.choice((None, None, None, 2))
        return Put(where, key, self.chance.randbytes(self.chance.randrange(1, self._size)), ttl=ttl)

    def _replica(self, sequence: int) -> Replica:
        """A page as a live switch copies it."""
        where, now = SPACES[0], self.clock.now
        keys = [f"r/{self.chance.randrange(8)}" for _ in range(4)]
        changes = tuple(Change(sequence + 1 + n, where, key, "put", now) for n, key in enumerate(keys))
        records: dict[tuple[Space, str], Stored | None] = {
            (where, key): Stored(key, b"%d" % sequence, sequence + 1 + n, now, now) for n, key in enumerate(keys)
        }
        return Replica(records, changes, {where: changes[-1].seq}, changes[-1].seq)


def recorded(seed: int, folder: Path, disk: Disk, spoil: Callable[[Writer], None] | None = None) -> Workload:
    """Run the workload of a seed in a folder."""
    workload = Workload(seed)
    asyncio.run(workload.run(folder / "documents.db", disk, spoil=spoil))
    return workload
