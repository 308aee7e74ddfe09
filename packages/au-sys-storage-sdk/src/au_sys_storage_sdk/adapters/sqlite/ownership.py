"""One writing process per file: an exclusive lock on a file beside it, which names its holder."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from au_sys_storage_sdk.core.errors import InUse

_READ = 200


class Ownership:
    """The lock; it goes with the process, however that ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._database = database
        self._descriptor: int | None = None

    def take(self) -> None:
        """Become the owner. Raises ``InUse`` with the holder's process id and host."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, _READ, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise InUse(str(self._database), holder or "another process") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
