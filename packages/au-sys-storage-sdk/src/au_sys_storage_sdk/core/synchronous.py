"""Storage for programs without an event loop: the same calls, which return when they are done.

A thread of its own runs the loop; several threads of the caller may use one storage at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Generic, TypeVar, overload

from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE, BlobInfo
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.models import Change, Document, Feature, SpaceUsage
from au_sys_storage_sdk.core.documents.namespace import Delete, Get, Namespace, Put, TimeToLive
from au_sys_storage_sdk.core.documents.queries import Filter
from au_sys_storage_sdk.core.documents.transactions import Transaction
from au_sys_storage_sdk.core.documents.values import Upcast
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, Page
from au_sys_storage_sdk.core.preconditions import Condition
from au_sys_storage_sdk.core.storage import Storage

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="storage", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine is sent is asyncio's affair
        """Wait for work; interrupting the wait cancels it."""
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def steps(self, stream: AsyncIterator[T]) -> Iterator[T]:
        """A stream, item by item; whoever stops early lets it go."""
        try:
            while True:
                try:
                    yield self.run(_next(stream))
                except StopAsyncIteration:
                    return
        finally:
            closing = getattr(stream, "aclose", None)
            if closing is not None:
                self.run(closing())

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _next(stream: AsyncIterator[T]) -> T:
    return await anext(stream)


class SyncNamespace(Generic[T]):
    """Documents of one namespace; see :class:`~au_sys_storage_sdk.core.documents.namespace.Namespace` for each call."""

    def __init__(self, loop: Loop, inner: Namespace[T]) -> None:
        self._run = loop.run
        self._loop = loop
        self.inner = inner

    def get(self, key: str) -> Document[T] | None:
        """The document, or ``None``."""
        return self._run(self.inner.get(key))

    def put(self, key: str, value: T, *, if_match: Condition = None, ttl: TimeToLive = None) -> int:
        """Store a value durably; its new version."""
        return self._run(self.inner.put(key, value, if_match=if_match, ttl=ttl))

    def patch(self, key: str, patch: object, *, if_match: Condition = None, ttl: TimeToLive = None) -> int:
        """Merge patch or JSON patch; the new version."""
        return self._run(self.inner.patch(key, patch, if_match=if_match, ttl=ttl))

    def delete(self, key: str, *, if_match: Condition = None) -> bool:
        """Whether something was deleted."""
        return self._run(self.inner.delete(key, if_match=if_match))

    def take(self, key: str) -> Document[T] | None:
        """Read and delete, once."""
        return self._run(self.inner.take(key))

    def scan(self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT) -> Page[Document[T]]:
        """Documents in key order."""
        return self._run(self.inner.scan(prefix, after, limit))

    def keys(self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT) -> Page[str]:
        """Keys in order."""
        return self._run(self.inner.keys(prefix, after, limit))

    def query(
        self, where: Filter, *, prefix: str = "", order: str | None = None, after: str = "", limit: int = DEFAULT_LIMIT
    ) -> Page[Document[T]]:
        """Documents whose declared fields are as asked."""
        return self._run(self.inner.query(where, prefix=prefix, order=order, after=after, limit=limit))

    def count(self, prefix: str = "", *, where: Filter | None = None) -> int:
        """How many live documents there are."""
        return self._run(self.inner.count(prefix, where=where))

    def sequence(self) -> int:
        """The sequence of the last write."""
        return self._run(self.inner.sequence())

    def many(self, items: Sequence[Get | Put | Delete]) -> list[Document[T] | int | bool | StorageError | None]:
        """One answer per item."""
        return self._run(self.inner.many(items))

    def watch(self, since: int = 0, prefix: str = "") -> Iterator[Change]:
        """Every later change, for as long as the caller asks; the wait for the next one blocks."""
        return self._loop.steps(self.inner.watch(since, prefix))


class SyncBlobs:
    """Byte streams of one namespace; see :class:`~au_sys_storage_sdk.core.blobs.namespace.Blobs` for each call."""

    def __init__(self, loop: Loop, inner: Blobs) -> None:
        self._run = loop.run
        self._loop = loop
        self.inner = inner

    def write(
        self,
        key: str,
        content: bytes | Iterable[bytes],
        *,
        if_match: Condition = None,
        content_type: str = DEFAULT_TYPE,
    ) -> BlobInfo:
        """Store bytes or a stream. The stream is asked in another thread."""
        given = content if isinstance(content, bytes) else _stream(content)
        return self._run(self.inner.write(key, given, if_match=if_match, content_type=content_type))

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes as a stream of pieces of at most 1 MiB."""
        return self._loop.steps(self.inner.read(key, start, end))

    def read_bytes(self, key: str) -> bytes:
        """A whole (small) blob in memory."""
        return self._run(self.inner.read_bytes(key))

    def head(self, key: str) -> BlobInfo | None:
        """What is known of a blob, or ``None``."""
        return self._run(self.inner.head(key))

    def delete(self, key: str, *, if_match: Condition = None) -> bool:
        """Whether something was deleted."""
        return self._run(self.inner.delete(key, if_match=if_match))

    def list(self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT) -> Page[BlobInfo]:
        """Blobs in key order."""
        return self._run(self.inner.list(prefix, after, limit))

    def copy(self, key: str, target_key: str, *, if_match: Condition = None) -> BlobInfo:
        """Store the same bytes under another key."""
        return self._run(self.inner.copy(key, target_key, if_match=if_match))

    def presign(self, key: str, *, seconds: int = 900) -> str:
        """An address under which whoever has it may read the blob for a while."""
        return self._run(self.inner.presign(key, seconds=seconds))


async def _stream(content: Iterable[bytes]) -> AsyncIterator[bytes]:
    pieces = iter(content)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


class SyncStorage:
    """The way in; see :class:`~au_sys_storage_sdk.core.storage.Storage` for each call."""

    def __init__(self, loop: Loop, inner: Storage) -> None:
        self._loop = loop
        self.inner = inner

    @property
    def backend(self) -> str:
        """The kind of backend underneath."""
        return self.inner.backend

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend can do."""
        return self.inner.features

    @overload
    def namespace(self, name: str, *, fields: Sequence[str] = ()) -> SyncNamespace[Any]: ...  # Any: plain JSON
    @overload
    def namespace(
        self,
        name: str,
        model: type[T],
        *,
        schema: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        fields: Sequence[str] = (),
    ) -> SyncNamespace[T]: ...
    def namespace(
        self,
        name: str,
        model: type[T] | None = None,
        *,
        schema: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        fields: Sequence[str] = (),
    ) -> SyncNamespace[T] | SyncNamespace[Any]:  # Any: plain JSON, of whatever shape the caller stores
        """Documents under a name."""
        if model is None:
            return SyncNamespace(self._loop, self.inner.namespace(name, schema=schema, upcast=upcast, fields=fields))
        return SyncNamespace(self._loop, self.inner.namespace(name, model, schema=schema, upcast=upcast, fields=fields))

    def blobs(self, name: str) -> SyncBlobs:
        """Byte streams under a name."""
        return SyncBlobs(self._loop, self.inner.blobs(name))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Steps that are committed together when the block ends; they take the ``inner`` of a namespace."""
        transaction = self.inner.transaction()
        yield transaction
        self._loop.run(transaction.__aexit__(None, None, None))

    def sequence(self) -> int:
        """The sequence of the last write."""
        return self._loop.run(self.inner.sequence())

    def usage(self) -> Sequence[SpaceUsage]:
        """Count and size of every namespace."""
        return self._loop.run(self.inner.usage())


@contextmanager
def driven(opening: AbstractAsyncContextManager[Storage]) -> Iterator[SyncStorage]:
    """What is opened by a coroutine, for a program without an event loop."""
    loop = Loop()
    try:
        storage = loop.run(_entered(opening))
        try:
            yield SyncStorage(loop, storage)
        finally:
            loop.run(_left(opening))
    finally:
        loop.stop()


async def _entered(opening: AbstractAsyncContextManager[Storage]) -> Storage:
    return await opening.__aenter__()


async def _left(opening: AbstractAsyncContextManager[Storage]) -> None:
    await opening.__aexit__(None, None, None)
