"""The journal of switches as a small JSON file, replaced as a whole."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from au_sys_storage_sdk.adapters.filesystem.files import sync_folder
from au_sys_storage_sdk.core.errors import Corrupt
from au_sys_storage_sdk.core.switching.journal import Entry


class FileJournal:
    """One entry in one file. It holds names of backends, no addresses and no passwords."""

    def __init__(self, path: Path) -> None:
        self._path = path

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
        """Replace the entry durably."""
        await asyncio.to_thread(self._write, entry)

    def _write(self, entry: Entry) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(entry))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(self._path)
        sync_folder(self._path.parent)
