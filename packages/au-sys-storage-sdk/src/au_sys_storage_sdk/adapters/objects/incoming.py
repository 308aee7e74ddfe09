"""A blob on its way into a bucket: checksums grow with it; beyond 64 KiB it is sent in parts while it comes."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import obstore

from au_sys_storage_sdk.adapters.objects import layout
from au_sys_storage_sdk.adapters.objects.heads import Store
from au_sys_storage_sdk.adapters.objects.layout import Head, translated
from au_sys_storage_sdk.core.blobs.models import BLOCK, INLINE

PART = 8 * 1024 * 1024
_AT_ONCE = 2
_CRC_BYTES = 4


class Incoming:
    """Takes a stream. ``begun`` is told the name of the data before the first byte of it is sent."""

    def __init__(self, store: Store, begun: Callable[[str], Awaitable[None]]) -> None:
        self._store = store
        self._begun = begun
        self._digest = hashlib.sha256()
        self._checksums: list[int] = [0]
        self._in_block = 0
        self._inline = bytearray()
        self.size = 0
        self.data = ""

    async def take(self, chunks: AsyncIterator[bytes]) -> None:
        """Everything; on return all parts are in the store. What breaks off is no object yet."""
        async for chunk in chunks:
            self._add(chunk)
            self._inline += chunk
            if len(self._inline) > INLINE:
                await self._send(chunks)
                return

    async def _send(self, chunks: AsyncIterator[bytes]) -> None:
        name = secrets.token_hex(16)
        await self._begun(name)
        self.data = name
        writer = obstore.open_writer_async(
            self._store, f"{layout.DATA}/{name}", buffer_size=PART, max_concurrency=_AT_ONCE
        )
        with translated():
            await writer.write(bytes(self._inline))
        self._inline.clear()
        async for chunk in chunks:
            self._add(chunk)
            with translated():
                await writer.write(chunk)
        with translated():
            await writer.close()

    def _add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._digest.update(chunk)
        piece = memoryview(chunk)
        while piece:
            if self._in_block == BLOCK:
                self._checksums.append(0)
                self._in_block = 0
            part = piece[: BLOCK - self._in_block]
            self._checksums[-1] = zlib.crc32(part, self._checksums[-1])
            self._in_block += len(part)
            piece = piece[len(part) :]

    def head(self, key: str, content_type: str) -> Head:
        """What the key will lead to; its times are set when it is decided."""
        checksums = b"".join(value.to_bytes(_CRC_BYTES) for value in self._checksums)
        inline = None if self.data else bytes(self._inline)
        return Head(key, 0, 0, self.size, self._digest.hexdigest(), content_type, checksums, inline, self.data)
