"""Blobs in dictionaries."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BLOCK, BlobInfo, Usage
from au_sys_storage_sdk.core.blobs.ports import Method
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import NotFound, TooLarge, Unsupported
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition, require


class MemoryBlob:
    """One state of a blob."""

    def __init__(self, info: BlobInfo, content: bytes) -> None:
        self.info = info
        self._content = content

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """See the port."""
        for position in range(start, end, BLOCK):
            yield self._content[position : min(position + BLOCK, end)]

    async def close(self) -> None:
        """Let the content go."""
        self._content = b""


class MemoryBlobs:
    """A BlobStore that lives as long as the process."""

    name = "memory"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.RANGE})

    def __init__(self, *, clock: Clock = system_clock, max_size: int = 256 * 1024 * 1024) -> None:
        self._clock = clock
        self._max_size = max_size
        self._spaces: dict[Space, dict[str, tuple[BlobInfo, bytes]]] = {}
        self._sequence = 0

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """See the port."""
        content = bytearray()
        async for chunk in chunks:
            content += chunk
            if len(content) > self._max_size:
                raise TooLarge("blob", self._max_size)
        digest = hashlib.sha256(content).hexdigest()
        return self._store(space, key, bytes(content), digest, condition, content_type)

    def _store(
        self, space: Space, key: str, content: bytes, digest: str, condition: Condition, content_type: str
    ) -> BlobInfo:
        held = self._spaces.setdefault(space, {})
        found = held.get(key)
        require(condition, found[0].version if found else None, space.namespace, key)
        self._sequence += 1
        now = self._clock()
        created = found[0].created if found else now
        info = BlobInfo(key, len(content), digest, self._sequence, created, now, content_type)
        held[key] = (info, content)
        return info

    async def open(self, space: Space, key: str) -> MemoryBlob:
        """See the port."""
        return MemoryBlob(*self._found(space, key))

    def _found(self, space: Space, key: str) -> tuple[BlobInfo, bytes]:
        found = self._spaces.get(space, {}).get(key)
        if found is None:
            raise NotFound(space.namespace, key)
        return found

    async def head(self, space: Space, key: str) -> BlobInfo | None:
        """See the port."""
        found = self._spaces.get(space, {}).get(key)
        return found[0] if found else None

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """See the port."""
        found = await self.head(space, key)
        require(condition, found.version if found else None, space.namespace, key)
        if found is None:
            return False
        del self._spaces[space][key]
        self._sequence += 1
        return True

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]:
        """See the port."""
        held = self._spaces.get(space, {})
        keys = sorted(key for key in held if key.startswith(prefix) and key > after)
        items = tuple(held[key][0] for key in keys[:limit])
        return Page(items, items[-1].key if len(keys) > limit else None)

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """See the port."""
        info, content = self._found(space, key)
        return self._store(target, target_key, content, info.sha256, condition, info.content_type)

    async def presign(self, space: Space, key: str, method: Method, seconds: int) -> str:
        """There is no server to give out addresses of."""
        raise Unsupported(self.name, Feature.PRESIGN.value)

    async def usage(self) -> Sequence[Usage]:
        """See the port."""
        return [
            Usage(space.tenant, space.namespace, len(held), sum(info.size for info, _ in held.values()))
            for space, held in sorted(self._spaces.items())
            if held
        ]

    async def sweep(self) -> int:
        """Nothing is ever left behind."""
        return 0

    async def ping(self) -> None:
        """Memory always answers."""
        return

    async def close(self) -> None:
        """Forget everything."""
        self._spaces.clear()
