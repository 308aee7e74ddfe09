"""One state of a blob in a bucket, checked block by block before a byte is handed on."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator

import obstore

from au_sys_storage_sdk.adapters.objects import layout
from au_sys_storage_sdk.adapters.objects.heads import Store
from au_sys_storage_sdk.adapters.objects.layout import Head, translated
from au_sys_storage_sdk.core.blobs.models import BLOCK, BlobInfo
from au_sys_storage_sdk.core.errors import Corrupt

_CRC_BYTES = 4


class ObjectBlob:
    """Inline bytes, or data that stays for an hour after the key was written again."""

    def __init__(self, store: Store, info: BlobInfo, head: Head) -> None:
        self.info = info
        self._store = store
        self._head = head

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """See the port. A whole read checks the SHA-256 as well, a range the checksum of each block it touches."""
        if self._head.inline is not None:
            if hashlib.sha256(self._head.inline).hexdigest() != self._head.sha256:
                raise self._damaged("its digest is another than when it was written")
            yield self._head.inline[start:end]
            return
        digest = hashlib.sha256() if (start, end) == (0, self.info.size) else None
        held = b""
        async for number, block in self._blocks(start // BLOCK, -(-end // BLOCK)):
            self._check(number, block)
            if digest is not None:
                digest.update(block)
            if held:
                yield held
            offset = number * BLOCK
            held = block[max(start - offset, 0) : end - offset]
        if digest is not None and digest.hexdigest() != self._head.sha256:
            raise self._damaged("its digest is another than when it was written")
        if held:
            yield held

    async def _blocks(self, first: int, behind: int) -> AsyncIterator[tuple[int, bytes]]:
        """Whole blocks from one streamed request."""
        begin, stop = first * BLOCK, min(behind * BLOCK, self.info.size)
        if stop <= begin:
            return
        waiting, number = bytearray(), first
        async for piece in self._pieces(begin, stop):
            waiting += piece
            while len(waiting) >= BLOCK:
                yield number, bytes(waiting[:BLOCK])
                del waiting[:BLOCK]
                number += 1
        if waiting:
            yield number, bytes(waiting)
            number += 1
        if number != behind:
            raise self._damaged("it is shorter than when it was written")

    async def _pieces(self, begin: int, stop: int) -> AsyncIterator[bytes]:
        path = f"{layout.DATA}/{self._head.data}"
        with translated():
            try:
                found = await obstore.get_async(self._store, path, options={"range": (begin, stop)})
            except FileNotFoundError:
                raise self._damaged("its bytes are missing") from None
            except obstore.exceptions.GenericError as error:
                if "status code: 416" in str(error):
                    raise self._damaged("it is shorter than when it was written") from error
                raise
            async for piece in found.stream(min_chunk_size=BLOCK):
                yield bytes(piece)

    def _check(self, number: int, block: bytes) -> None:
        expected = int.from_bytes(self._head.checksums[number * _CRC_BYTES : (number + 1) * _CRC_BYTES])
        if zlib.crc32(block) != expected:
            raise self._damaged(f"block {number} has another checksum than when it was written")

    def _damaged(self, problem: str) -> Corrupt:
        return Corrupt(f"blob {self.info.key!r}", problem)

    async def close(self) -> None:
        """Nothing is held between reads."""
        return
