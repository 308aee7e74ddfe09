"""One state of a blob, read block by block and checked before a byte is handed on."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, TypeVar

from au_sys_storage_sdk.adapters.filesystem.files import read_block
from au_sys_storage_sdk.adapters.filesystem.index import Content
from au_sys_storage_sdk.core.blobs.models import BLOCK, BlobInfo
from au_sys_storage_sdk.core.errors import Corrupt, ReadOnly, Unavailable

T = TypeVar("T")


class FileBlob:
    """An open file, or the inline bytes of a small blob."""

    def __init__(self, info: BlobInfo, content: Content, file: BinaryIO | None, threads: ThreadPoolExecutor) -> None:
        self.info = info
        self._content = content
        self._file = file
        self._threads = threads
        self._where = f"blob {info.key!r}"

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """See the port. A whole read checks the SHA-256 as well, a range the checksum of each block it touches."""
        if self._file is None:
            inline = self._content.inline or b""
            if hashlib.sha256(inline).digest() != self._content.digest:
                raise self._another_digest()
            yield inline[start:end]
            return
        digest = hashlib.sha256() if (start, end) == (0, self.info.size) else None
        for number in range(start // BLOCK, -(-end // BLOCK)):
            block = await asyncio.get_running_loop().run_in_executor(
                self._threads, partial(on_disk, self._block, self._file, number, digest)
            )
            offset = number * BLOCK
            yield block[max(start - offset, 0) : end - offset]
        if digest is not None and digest.digest() != self._content.digest:
            raise self._another_digest()

    def _block(self, file: BinaryIO, number: int, digest: hashlib._Hash | None) -> bytes:
        block = read_block(file, number, self._content.checksums, self._where)
        if digest is not None:
            digest.update(block)
        return block

    def _another_digest(self) -> Corrupt:
        return Corrupt(self._where, "its digest is another than when it was written")

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def on_disk(work: Callable[..., T], *arguments: object) -> T:
    """Do work on the disk and raise storage errors for what the operating system refuses."""
    try:
        return work(*arguments)
    except OSError as error:
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise ReadOnly("filesystem", str(error.strerror)) from error
        raise Unavailable(f"the disk does not answer ({error.strerror})", retry_after=5) from error
