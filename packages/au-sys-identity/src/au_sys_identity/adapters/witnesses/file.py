"""Heads in a file: one JSON object a line, appended and brought to the disk."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from au_sys_identity.core.audit.heads import Head
from fastapi_services_platform import blocking

_LINES_AT_ONCE = 1_000


class FileWitness:
    """A file that somebody else should own, or a place that is only appended to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"file {path.name}"

    async def tell(self, head: Head) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`."""
        await blocking(_append, self._path, json.dumps(head.shown()).encode() + b"\n")

    async def heads(self) -> AsyncIterator[Head]:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`."""
        offset = 0
        while True:
            lines, offset = await blocking(_lines, self._path, offset)
            for line in lines:
                yield Head.read(json.loads(line))
            if len(lines) < _LINES_AT_ONCE:
                return


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o640)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(path: Path, offset: int) -> tuple[list[bytes], int]:
    if not path.is_file():
        return [], 0
    found: list[bytes] = []
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if line.strip():
                found.append(line)
            if len(found) >= _LINES_AT_ONCE:
                break
        return found, file.tell() if len(found) < _LINES_AT_ONCE else offset + sum(len(line) for line in found)
