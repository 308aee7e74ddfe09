"""A disk that forgets what was not synced: which files and names of a folder a power cut leaves, at worst.

Of a file there is what it held when it was last synced, of a folder the names that it had when that was synced. What
SQLite syncs is not seen here (the simulation of documents looks at that), so its files are taken as they are.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

_SQLITE = "index.db"


class ForgetfulDisk:
    """Follows the calls of this process below ``root``, whose present state is safe; ``seen`` is called after each."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, seen: Callable[[str], None]) -> None:
        self._root = root
        self._seen = seen
        self._bytes: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {root.stat().st_ino: {}}
        self._looking = False
        self.failing = ""
        self.calls: list[str] = []
        for name in ("mkdir", "rename", "fsync", "unlink"):
            patch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if name == self.failing and not self._looking:
                self.failing = ""
                raise OSError(errno.EIO, "the process was killed here")
            result = real(*arguments, **options)
            if self._looking:
                return result
            if name == "fsync" and isinstance(arguments[0], int):
                self._synced(arguments[0])
            self.calls.append(name)
            self._seen(name)
            return result

        return call

    def _synced(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}")
        if stat.S_ISDIR(found.st_mode):
            entries = os.scandir(path)
            self._names[found.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            self._bytes[found.st_ino] = path.read_bytes()

    def image(self, target: Path) -> Path:
        """What is left after a power cut now, in a new folder."""
        self._looking = True
        try:
            self._leave(self._root, self._root.stat().st_ino, target)
        finally:
            self._looking = False
        return target

    def _leave(self, present: Path, inode: int, target: Path) -> None:
        target.mkdir()
        known = self._names.get(inode, {})
        for path in present.iterdir():
            if path.name.startswith(_SQLITE):
                shutil.copy(path, target / path.name)
            elif known.get(path.name) == path.stat().st_ino:
                if path.is_dir():
                    self._leave(path, path.stat().st_ino, target / path.name)
                else:
                    (target / path.name).write_bytes(self._bytes.get(path.stat().st_ino, b""))
