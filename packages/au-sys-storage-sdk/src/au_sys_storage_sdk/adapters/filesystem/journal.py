"""The journal of switches as a small JSON file, replaced as a whole."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from pathlib import Path

import msgspec

from au_sys_storage_sdk.adapters.filesystem.files import sync_folder
from au_sys_storage_sdk.core.errors import Corrupt, InUse, Unavailable
from au_sys_storage_sdk.core.switching.journal import Entry


class FileJournal:
    """One entry in one file. It holds names of backends, no addresses and no passwords."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def hold(self, *, alone: bool) -> None:
        """Say that a process lives by this journal, until :meth:`release`; ``alone``: nobody else does.

        Raises:
            InUse: another process does, or wants to be alone with it.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._path.with_name(self._path.name + ".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InUse(str(self._path), "a running platform or command") from None
        self._lock = descriptor

    def release(self) -> None:
        """Let another process be alone with it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def read(self) -> Entry | None:
        """The entry, ``None`` when nothing was ever switched. Raises ``Corrupt``."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Entry | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise Corrupt(str(self._path), str(error)) from error

    async def write(self, entry: Entry) -> None:
        """Replace the entry durably. Raises ``Unavailable`` when the disk does not take it."""
        try:
            await asyncio.to_thread(self._write, entry)
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be written ({error.strerror})", retry_after=5) from error

    def _write(self, entry: Entry) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            text = msgspec.json.encode(entry)
            if os.write(descriptor, text) != len(text):  # a disk that is full takes a part
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(self._path)
        sync_folder(self._path.parent)

    def forget(self) -> None:
        """Remove the entry: nothing is moved by this journal any more."""
        self._path.unlink(missing_ok=True)
