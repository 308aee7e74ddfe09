"""One state of a blob on the server, read as a stream that goes on where a connection broke off."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

from au_sys_storage_sdk.adapters.http.wire import Call, Wire
from au_sys_storage_sdk.core.blobs.models import BLOCK, BlobInfo
from au_sys_storage_sdk.core.errors import Conflict, Corrupt, Unavailable

_ATTEMPTS = 5


class HttpBlob:
    """What is known of a blob, and its bytes. A connection that is lost after the blob was replaced cannot go on."""

    def __init__(self, wire: Wire, call: Call, info: BlobInfo) -> None:
        self.info = info
        self._wire = wire
        self._call = call

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """See the port. The digest is checked over a whole read, before its last piece is handed on."""
        whole = (start, end) == (0, self.info.size)
        digest, held, position, failed = hashlib.sha256(), b"", start, 0
        while position < end:
            try:
                async for piece in self._from(position, end):
                    position += len(piece)
                    failed = 0
                    digest.update(piece)
                    if held:
                        yield held
                    held = piece
            except Unavailable as error:
                failed += 1
                if failed == _ATTEMPTS:
                    raise
                await self._wire.pause(failed, error.retry_after)
        if whole and digest.hexdigest() != self.info.sha256:
            raise Corrupt(f"blob {self.info.key!r}", "its digest is another than when it was written")
        if held:
            yield held

    async def _from(self, position: int, end: int) -> AsyncIterator[bytes]:
        headers = {
            "Range": f"bytes={position}-{end - 1}", "If-Match": f'"{self.info.version}"', "Accept-Encoding": "identity",
        }  # fmt: skip
        try:
            async with self._wire.stream(replace(self._call, headers=headers)) as response:
                async for piece in response.aiter_raw(BLOCK):
                    yield piece
        except Conflict as error:
            raise Unavailable(f"blob {self.info.key!r} was replaced while it was read; begin again") from error

    async def close(self) -> None:
        """Nothing is held between reads."""
        return
