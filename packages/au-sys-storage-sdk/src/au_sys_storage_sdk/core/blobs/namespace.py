"""Blobs: the byte streams of one namespace, over any backend."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from types import TracebackType

from au_sys_storage_sdk.core.address import DEFAULT_TENANT, space, valid_key, valid_prefix
from au_sys_storage_sdk.core.blobs.models import BLOCK, DEFAULT_TYPE, BlobInfo, Usage, valid_range, valid_type
from au_sys_storage_sdk.core.blobs.ports import BlobStore, Method, OpenBlob
from au_sys_storage_sdk.core.blobs.writing import BlobWriter
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import InvalidInput, NotFound, Unsupported
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, Page, valid_limit
from au_sys_storage_sdk.core.preconditions import Condition

_LONGEST_ADDRESS = 7 * 86_400


class Blobs:
    """Reads and writes blobs of one namespace; :meth:`scoped` gives another namespace over the same store.

    Every method validates its address and raises ``InvalidInput`` naming the rule.
    """

    __slots__ = ("_space", "_store")

    def __init__(self, store: BlobStore, namespace: str = "default", tenant: str = DEFAULT_TENANT) -> None:
        self._store = store
        self._space = space(namespace, tenant)

    @property
    def namespace(self) -> str:
        """The namespace that keys belong to."""
        return self._space.namespace

    @property
    def backend(self) -> str:
        """The kind of backend underneath."""
        return self._store.name

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend can do."""
        return self._store.features

    def _able(self, condition: Condition) -> Condition:
        """The condition. Raises ``Unsupported``, before anything is read or written, where conditions mean nothing."""
        if condition is not None and Feature.CAS not in self._store.features:
            raise Unsupported(self._store.name, Feature.CAS.value)
        return condition

    def scoped(self, namespace: str, tenant: str | None = None) -> Blobs:
        """Another namespace (of the same tenant, unless one is given) over the same store."""
        return Blobs(self._store, namespace, self._space.tenant if tenant is None else tenant)

    async def write(
        self,
        key: str,
        content: bytes | AsyncIterable[bytes],
        *,
        if_match: Condition = None,
        content_type: str = DEFAULT_TYPE,
    ) -> BlobInfo:
        """Store bytes or a stream durably under a key.

        Raises:
            Conflict: ``if_match`` (a version or ``ABSENT``) does not hold.
            TooLarge: the stream is longer than the backend takes.
        """
        chunks = _pieces(content) if isinstance(content, bytes | bytearray | memoryview) else aiter(content)
        condition = self._able(if_match)
        return await self._store.write(self._space, valid_key(key), chunks, condition, valid_type(content_type))

    def writer(self, key: str, *, if_match: Condition = None, content_type: str = DEFAULT_TYPE) -> BlobWriter:
        """A blob to be written bit by bit: ``async with blobs.writer("k") as writer: await writer.write(b"…")``.

        It is stored whole when the block ends. Raises as :meth:`write`.
        """
        space, name, condition, kind = self._space, valid_key(key), self._able(if_match), valid_type(content_type)
        return BlobWriter(lambda chunks: self._store.write(space, name, chunks, condition, kind))

    async def open(self, key: str) -> OpenBlob:
        """One state of a blob with what is known of it; read it, then close it. Raises ``NotFound`` and ``Corrupt``."""
        return await self._store.open(self._space, valid_key(key))

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to and without ``end`` as a stream of pieces of at most 1 MiB.

        Raises (on the first step):
            NotFound: nothing is stored under the key.
            OutsideRange: the range lies outside.
            Corrupt: the stored bytes are not the written ones (at any step, before wrong bytes are handed on).
        """
        return self._read(valid_key(key), start, end)

    async def _read(self, key: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        opened = await self._store.open(self._space, key)
        try:
            first, stop = valid_range(start, end, opened.info.size)
            async for piece in opened.read(first, stop):
                yield piece
        finally:
            await opened.close()

    async def read_bytes(self, key: str) -> bytes:
        """A whole (small) blob in memory. Raises ``NotFound`` and ``Corrupt``."""
        return b"".join([piece async for piece in self.read(key)])

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of a blob, or ``None``."""
        return await self._store.head(self._space, valid_key(key))

    async def info(self, key: str) -> BlobInfo:
        """What is known of a blob. Raises ``NotFound``."""
        found = await self.head(key)
        if found is None:
            raise NotFound(self.namespace, key)
        return found

    async def delete(self, key: str, *, if_match: Condition = None) -> bool:
        """Whether something was deleted. Raises ``Conflict`` when ``if_match`` does not hold."""
        return await self._store.delete(self._space, valid_key(key), self._able(if_match))

    async def list(self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT) -> Page[BlobInfo]:
        """Blobs in key order."""
        return await self._store.list(self._space, valid_prefix(prefix), after, valid_limit(limit))

    async def copy(self, key: str, target_key: str, *, to: Blobs | None = None, if_match: Condition = None) -> BlobInfo:
        """Store the same bytes under another key (of another namespace over the same store)."""
        target, condition = self if to is None else to, self._able(if_match)
        if target._store is not self._store:
            raise InvalidInput("to", "it lies in another store", "read from one and write to the other")
        return await self._store.copy(self._space, valid_key(key), target._space, valid_key(target_key), condition)

    async def presign(self, key: str, *, method: Method = "GET", seconds: int = 900) -> str:
        """An address under which whoever has it may read the blob as it is now, for so many seconds (up to a week).

        Raises:
            Unsupported: the backend gives out no addresses.
            NotFound: nothing is stored under the key.
        """
        if Feature.PRESIGN not in self._store.features:
            raise Unsupported(self._store.name, Feature.PRESIGN.value)
        if not 1 <= seconds <= _LONGEST_ADDRESS:
            raise InvalidInput("seconds", f"{seconds} is out of range", f"give 1 to {_LONGEST_ADDRESS}")
        return await self._store.presign(self._space, valid_key(key), method, seconds)

    async def usage(self) -> Sequence[Usage]:
        """Count and size of every namespace of the store."""
        return await self._store.usage()

    async def sweep(self) -> int:
        """Remove what interrupted writes left behind; how many pieces were removed."""
        return await self._store.sweep()

    async def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        await self._store.ping()

    async def close(self) -> None:
        """Close the store, also for every other namespace over it."""
        await self._store.close()

    async def __aenter__(self) -> Blobs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _pieces(content: bytes | bytearray | memoryview) -> AsyncIterator[bytes]:
    view = memoryview(content)
    for start in range(0, len(view), BLOCK):
        yield bytes(view[start : start + BLOCK])
