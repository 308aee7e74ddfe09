"""Blobs as content-addressed files with an SQLite index; several processes of one host may share the folder.

Order of a write: bytes synced in a staging file; then, alone among all processes, renamed into place, folder synced,
index committed. A crash at any point leaves the old state or the new one, and at most an orphan that the
sweep finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import apsw

from au_sys_storage_sdk.adapters.filesystem import index as entries
from au_sys_storage_sdk.adapters.filesystem.files import Incoming, ObjectFolder
from au_sys_storage_sdk.adapters.filesystem.index import BlobIndex, Content
from au_sys_storage_sdk.adapters.filesystem.reading import FileBlob, on_disk
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.blobs.ports import Method
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import Corrupt, NotFound, TooLarge, Unsupported
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition, require

T = TypeVar("T")

_THREADS = 4
_SWEEP_BATCH = 500
_REOPENINGS = 3
_PIECE = 512 * 1024


class FileBlobs:
    """A BlobStore in a folder. Nothing is opened before the first call."""

    name = "filesystem"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.RANGE, Feature.DURABLE})

    def __init__(self, root: Path, *, clock: Clock = system_clock, max_size: int | None = None) -> None:
        self._root = root
        self._clock = clock
        self._max_size = max_size
        self._folder = ObjectFolder(root)
        self._opened: BlobIndex | None = None
        self._opening = Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")

    async def _work(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(on_disk, work, *arguments))

    def _index(self) -> BlobIndex:
        with self._opening:
            if self._opened is None:
                self._folder.prepare()
                self._opened = BlobIndex(self._root / "index.db")
            return self._opened

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """See the port."""
        await self._work(self._index)
        incoming = Incoming(self._folder.staging)
        try:
            async for piece in _gathered(chunks):
                if self._max_size is not None and incoming.size + len(piece) > self._max_size:
                    raise TooLarge("blob", self._max_size)
                await self._work(incoming.add, piece)
            return await self._work(self._finish, incoming, space, key, condition, content_type)
        finally:
            await asyncio.shield(self._work(incoming.discard))

    def _finish(self, incoming: Incoming, space: Space, key: str, condition: Condition, content_type: str) -> BlobInfo:
        incoming.settle()
        digest, now = incoming.digest, self._clock()

        def commit(connection: apsw.Connection) -> BlobInfo:
            found = entries.find(connection, space, key)
            require(condition, found.version if found else None, space.namespace, key)
            if incoming.inline is None:
                self._place(connection, incoming)
            entries.add_content(connection, Content(digest, incoming.size, incoming.checksums, incoming.inline))
            created = found.created if found else now
            version = entries.next_version(connection)
            info = BlobInfo(key, incoming.size, digest.hex(), version, created, now, content_type)
            entries.put(connection, space, info)
            return info

        return self._index().change(commit)

    def _place(self, connection: apsw.Connection, incoming: Incoming) -> None:
        if not self._folder.holds(incoming.digest, incoming.size):
            self._folder.adopt(incoming)
        elif entries.content_of(connection, incoming.digest) is None:
            self._folder.settle(incoming.digest)

    async def open(self, space: Space, key: str) -> FileBlob:
        """See the port."""
        return await self._work(self._open, space, key)

    def _open(self, space: Space, key: str) -> FileBlob:
        for _ in range(_REOPENINGS):
            info, content = self._index().read(partial(_content, space=space, key=key))
            if content.inline is not None:
                return FileBlob(info, content, None, self._threads)
            try:
                file = self._folder.path(content.digest).open("rb", buffering=0)
            except FileNotFoundError:
                continue  # replaced and swept between look-up and open; a file that is really gone stays gone
            return FileBlob(info, content, file, self._threads)
        raise Corrupt(f"blob {key!r}", "its file is missing")

    async def head(self, space: Space, key: str) -> BlobInfo | None:
        """See the port."""
        return await self._work(lambda: self._index().read(lambda connection: entries.find(connection, space, key)))

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """See the port."""

        def commit(connection: apsw.Connection) -> bool:
            found = entries.find(connection, space, key)
            require(condition, found.version if found else None, space.namespace, key)
            if found is None:
                return False
            entries.release(connection, space, key)
            entries.next_version(connection)
            return True

        def erase() -> bool:
            deleted = self._index().change(commit)
            if deleted:
                self._index().change(self._drop_unused)
            return deleted

        return await self._work(erase)

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]:
        """See the port."""
        return await self._work(
            lambda: self._index().read(lambda connection: entries.page(connection, space, prefix, after, limit))
        )

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """See the port."""

        def commit(connection: apsw.Connection) -> BlobInfo:
            source = entries.find(connection, space, key)
            if source is None:
                raise NotFound(space.namespace, key)
            found = entries.find(connection, target, target_key)
            require(condition, found.version if found else None, target.namespace, target_key)
            now = self._clock()
            created, version = (found.created if found else now), entries.next_version(connection)
            info = BlobInfo(target_key, source.size, source.sha256, version, created, now, source.content_type)
            entries.put(connection, target, info)
            return info

        return await self._work(lambda: self._index().change(commit))

    async def presign(self, space: Space, key: str, method: Method, seconds: int) -> str:
        """There is no server to give out addresses of."""
        raise Unsupported(self.name, Feature.PRESIGN.value)

    async def usage(self) -> Sequence[Usage]:
        """See the port."""
        return await self._work(lambda: self._index().read(entries.usage))

    async def sweep(self) -> int:
        """See the port."""
        return await self._work(self._sweep)

    def _sweep(self) -> int:
        index = self._index()
        removed = self._folder.sweep_staging()
        while dropped := index.change(self._drop_unused):
            removed += dropped
        for digest in list(self._folder.digests()):
            removed += index.change(partial(self._drop_unknown, digest=digest))
        return removed

    def _drop_unused(self, connection: apsw.Connection) -> int:
        digests = entries.unused(connection, _SWEEP_BATCH)
        for digest in digests:
            entries.forget(connection, digest)
            self._folder.remove(digest)
        return len(digests)

    def _drop_unknown(self, connection: apsw.Connection, digest: bytes) -> int:
        if entries.content_of(connection, digest) is not None:
            return 0
        self._folder.remove(digest)
        return 1

    async def ping(self) -> None:
        """See the port."""
        await self._work(lambda: self._index().read(lambda connection: connection.execute("SELECT 1").get))

    async def close(self) -> None:
        """Close the index and let the threads go."""
        if self._opened is not None:
            await self._work(self._opened.close)
            self._opened = None
        self._threads.shutdown(wait=False)


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth a change of thread."""
    waiting, size = [], 0
    async for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _content(connection: apsw.Connection, space: Space, key: str) -> tuple[BlobInfo, Content]:
    info = entries.find(connection, space, key)
    if info is None:
        raise NotFound(space.namespace, key)
    content = entries.content_of(connection, bytes.fromhex(info.sha256))
    if content is None:
        raise Corrupt(f"blob {key!r}", "the index knows no content for it")
    return info, content
