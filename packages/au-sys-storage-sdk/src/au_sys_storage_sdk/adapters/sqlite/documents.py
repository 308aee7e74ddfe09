"""Documents in one SQLite file: one writer thread with group commit, small reads inline, large ones beside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from au_sys_storage_sdk.adapters.sqlite import reader
from au_sys_storage_sdk.adapters.sqlite.failures import translated
from au_sys_storage_sdk.adapters.sqlite.ownership import Ownership
from au_sys_storage_sdk.adapters.sqlite.schema import open_reader
from au_sys_storage_sdk.adapters.sqlite.writer import Committed, Writer
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.batching import Batcher
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, weight
from au_sys_storage_sdk.core.documents.planning import Address
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import ReadOnly, Unavailable
from au_sys_storage_sdk.core.paging import Page

T = TypeVar("T")

_LARGEST = 2**31
_KEPT = 2000
_KEPT_BYTES = 8 * 1024


class SqliteDocuments:
    """A DocumentStore in a file. Made by :meth:`open`; every acknowledged commit is on the disk."""

    name = "sqlite"

    def __init__(self, path: Path, clock: Clock, *, read_only: bool) -> None:
        self._path = path
        self._clock = clock
        self._owner = None if read_only else Ownership(path)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="documents-writer")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="documents-reader")
        self._batcher: Batcher[Sequence[Operation], Sequence[Outcome]] = Batcher(self._apply)
        self._arrival = Arrival()
        self._last: dict[Space, int] = {}
        self._lately: dict[Address, Stored] | None = None if read_only else {}
        """Small documents that were read lately. Every write goes through this object, so it is never old; a store that
        others are copied into keeps nothing."""
        self._writer: Writer | None = None
        self._inline: apsw.Connection | None = None
        self._beside: apsw.Connection | None = None
        features = {Feature.CAS, Feature.SCAN, Feature.TTL, Feature.TXN, Feature.DURABLE}
        self.features = frozenset(features if read_only else features | {Feature.WATCH})

    @classmethod
    async def open(cls, path: Path, *, clock: Clock = system_clock, read_only: bool = False) -> SqliteDocuments:
        """Open (and make) the file.

        Raises:
            InUse: another process writes to it.
            Corrupt: it is no file of documents in this format.
            ReadOnly: the folder may not be written.
        """
        store = cls(path, clock, read_only=read_only)
        try:
            await store._on(store._writing, store._start)
        except BaseException:
            await store.close()
            raise
        return store

    def _start(self) -> None:
        if self._owner is not None:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._owner.take()
            except OSError as error:
                raise ReadOnly(self.name, f"{self._path}: {error.strerror}") from error
            self._writer = Writer(self._path, self._clock)
            self._last = self._writer.last
            self._arrival.advance(self._writer.sequence)
        self._inline = open_reader(self._path)
        self._beside = open_reader(self._path)

    async def _on(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, partial(self._translated, work))

    def _translated(self, work: Callable[[], T]) -> T:
        with translated(str(self._path), self.name):
            return work()

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        connection = self._opened(self._beside)
        return await self._on(self._reading, lambda: work(connection))

    @staticmethod
    def _opened(connection: apsw.Connection | None) -> apsw.Connection:
        if connection is None:
            raise Unavailable("the store is closed")
        return connection

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        now, inline, lately = self._clock(), self._opened(self._inline), self._lately
        found = None if lately is None else lately.get((space, key))
        if found is not None:
            return None if found.expires is not None and found.expires <= now else found
        try:
            found = self._translated(lambda: reader.find(inline, space, key, now, reader.SMALL))
        except reader.LargeValue:
            return await self._read(lambda connection: reader.find(connection, space, key, now, _LARGEST))
        if lately is not None and found is not None and len(found.value) <= _KEPT_BYTES:
            if len(lately) >= _KEPT:
                lately.clear()
            lately[space, key] = found
        return found

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        now, inline = self._clock(), self._opened(self._inline)
        return self._translated(lambda: reader.head(inline, space, key, now))

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        if self._owner is None:
            raise ReadOnly(self.name, "it was opened for reading only")
        return await self._batcher.submit(operations, sum(map(weight, operations)))

    async def _apply(self, commits: list[Sequence[Operation]]) -> list[Sequence[Outcome] | Exception]:
        writer, lately = self._writing_side(), self._lately
        self._lately = None  # others see the commit before we hear of it: until then nothing is kept
        try:
            return self._noted(await self._on(self._writing, lambda: writer.apply(commits))).answers
        except asyncio.CancelledError:
            lately = None  # it goes on in its thread, and nobody will tell when it is done
            raise
        finally:
            if lately:
                for operations in commits:
                    for operation in operations:
                        lately.pop((operation.space, operation.key), None)
            self._lately = lately

    def _writing_side(self) -> Writer:
        if self._writer is None:
            raise Unavailable("the store is closed")
        return self._writer

    def _noted(self, committed: Committed) -> Committed:
        self._last.update(committed.last)
        self._arrival.advance(committed.sequence)
        return committed

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        now = self._clock()
        if keys_only:
            return await self._read(
                lambda connection: reader.page_of_keys(connection, space, prefix, after, now, limit)
            )
        return await self._read(lambda connection: reader.page(connection, space, prefix, after, now, limit, max_bytes))

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        now = self._clock()
        return await self._read(lambda connection: reader.count(connection, space, prefix, now))

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        return self._arrival.sequence if space is None else self._last.get(space, 0)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        return await self._read(lambda connection: reader.changes(connection, since, limit, space))

    async def wait(self, since: int) -> None:
        """See the port."""
        await self._arrival.wait(since)

    async def compact(self, keep: int) -> int:
        """See the port."""
        writer = self._writing_side()
        return await self._on(self._writing, lambda: writer.compact(max(keep, 0)))

    async def sweep(self) -> int:
        """See the port."""
        writer, removed = self._writing_side(), 0
        while swept := self._noted(await self._on(self._writing, writer.sweep)).answers:
            removed += len(swept)
        return removed

    async def replicate(self, replica: Replica) -> None:
        """See the port."""
        writer = self._writing_side()
        self._lately = None
        self._noted(await self._on(self._writing, lambda: writer.replicate(replica)))

    async def standing(self) -> Standing:
        """See the port."""
        return await self._read(reader.standing)

    async def stand(self, standing: Standing) -> None:
        """See the port."""
        writer = self._writing_side()
        await self._on(self._writing, lambda: writer.stand(standing))

    async def erase(self) -> None:
        """See the port."""
        writer = self._writing_side()
        self._lately = None
        await self._on(self._writing, writer.erase)
        self._last.clear()
        self._arrival.sequence = 0

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port."""
        return await self._read(reader.usage)

    async def ping(self) -> None:
        """See the port."""
        await self._read(lambda connection: connection.execute("SELECT 1").get)

    async def close(self) -> None:
        """Finish what waits, close the file, let another process in."""
        await self._batcher.close()
        self._arrival.close()
        await self._on(self._reading, self._close_readers)
        await self._on(self._writing, self._close_writer)
        self._reading.shutdown(wait=False)
        self._writing.shutdown(wait=False)

    def _close_readers(self) -> None:
        for connection in (self._inline, self._beside):
            if connection is not None:
                connection.close()
        self._inline = self._beside = None

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._owner is not None:
            self._owner.release()
