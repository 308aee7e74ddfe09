"""Content-addressed files: written beside, synced, renamed into place, and checked block by block when read.

No text of a user touches a path: names are digests and random numbers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from au_sys_storage_sdk.core.blobs.models import BLOCK, INLINE
from au_sys_storage_sdk.core.errors import Corrupt

_CRC_BYTES = 4


class Incoming:
    """A blob on its way in: digest and block checksums grow with it; beyond 64 KiB it lies in a locked staging file.

    The lock tells a sweep in any process that the writer lives; it goes with the file handle, so a crash lets go of it.
    """

    def __init__(self, staging: Path) -> None:
        self._staging = staging
        self._digest = hashlib.sha256()
        self._checksums: list[int] = [0]
        self._in_block = 0
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self.path: Path | None = None
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._digest.update(piece)
        self.size += len(piece)
        self._checksum(memoryview(piece))
        if self._file is not None:
            _write_all(self._file, piece)
            return
        self._buffer += piece
        if len(self._buffer) > INLINE:
            self._file = self._open()
            _write_all(self._file, bytes(self._buffer))
            self._buffer.clear()

    def _checksum(self, piece: memoryview) -> None:
        while piece:
            if self._in_block == BLOCK:
                self._checksums.append(0)
                self._in_block = 0
            part = piece[: BLOCK - self._in_block]
            self._checksums[-1] = zlib.crc32(part, self._checksums[-1])
            self._in_block += len(part)
            piece = piece[len(part) :]

    def _open(self) -> BinaryIO:
        while True:
            self.path = self._staging / secrets.token_hex(16)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else a sweep came between creation and lock
                return os.fdopen(descriptor, "wb", buffering=0)
            os.close(descriptor)

    def settle(self) -> None:
        """Put every byte on the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def discard(self) -> None:
        """Close, and remove the staging file if it is still there."""
        if self._file is not None:
            self._file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    @property
    def inline(self) -> bytes | None:
        """The content itself when it is small, else ``None``."""
        return None if self._file is not None else bytes(self._buffer)

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything so far."""
        return self._digest.digest()

    @property
    def checksums(self) -> bytes:
        """CRC-32 of each block of 1 MiB, four bytes each, big-endian."""
        return b"".join(value.to_bytes(_CRC_BYTES) for value in self._checksums)


class ObjectFolder:
    """Files named by the SHA-256 of their content."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects = root / "objects"
        self.staging = root / "staging"

    def prepare(self) -> None:
        """Make the folders, owner-only, so that they survive a power cut."""
        for folder in (self._root, self._objects, self.staging):
            _make(folder)

    def path(self, digest: bytes) -> Path:
        """Where the content with this digest lies."""
        name = digest.hex()
        return self._objects / name[:2] / name

    def holds(self, digest: bytes, size: int) -> bool:
        """Whether a file of the right size is in place."""
        try:
            return self.path(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def adopt(self, incoming: Incoming) -> None:
        """Move a settled staging file into place, so that it survives a power cut from here on."""
        if incoming.path is None:
            raise ValueError("adopt: the content is inline and has no file")
        target = self.path(incoming.digest)
        if not target.parent.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._objects)
        incoming.path.rename(target)
        sync_folder(target.parent)

    def settle(self, digest: bytes) -> None:
        """Make sure of a file that lies in place and that no entry knows: who moved it there may have been killed."""
        sync_folder(self._objects)
        sync_folder(self.path(digest).parent)

    def remove(self, digest: bytes) -> None:
        """Delete the content; readers that have it open finish undisturbed."""
        self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[bytes]:
        """The digest of every file in place."""
        for folder in sorted(self._objects.iterdir()):
            for path in sorted(folder.iterdir()):
                yield bytes.fromhex(path.name)

    def sweep_staging(self) -> int:
        """Remove the staging files whose writers are gone."""
        removed = 0
        for path in list(self.staging.iterdir()):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                removed += 1
            except BlockingIOError:
                continue
            finally:
                os.close(descriptor)
        return removed


def _make(folder: Path) -> None:
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(PermissionError):  # a folder of others that may be passed through and not read
        sync_folder(folder.parent)


def _write_all(file: BinaryIO, piece: bytes) -> None:
    """An unbuffered file may take less than it is given, for one when the disk fills up; then the next try tells."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def read_block(file: BinaryIO, number: int, checksums: bytes, where: str) -> bytes:
    """One block of an open file.

    Raises:
        Corrupt: it is short, or its checksum is another than the one taken on the way in.
    """
    content = os.pread(file.fileno(), BLOCK, number * BLOCK)
    expected = int.from_bytes(checksums[number * _CRC_BYTES : (number + 1) * _CRC_BYTES])
    if zlib.crc32(content) != expected:
        raise Corrupt(where, f"block {number} has another checksum than when it was written")
    return content


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
