"""All files of a run as one archive, streamed: nothing is staged on a disk, and memory stays at one piece."""

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import PurePosixPath

from starlette.responses import StreamingResponse

from skriptoteket.adapters.http.downloads import disposition, safe_headers
from skriptoteket.core.runs.models import Artifact
from skriptoteket.core.runs.ports.files import ArtifactStore

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The same files give the same archive: no clock."""


class _Outlet(io.RawIOBase):
    """Where zipfile writes: it cannot seek, so sizes follow the data (APPNOTE 4.3.9)."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # the stub names its parameter b, by place
        """Take bytes."""
        piece = bytes(data)
        self._waiting += piece
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last call."""
        found = bytes(self._waiting)
        self._waiting.clear()
        return found


def safe_names(paths: Sequence[str]) -> list[str]:
    """Names that stay inside the folder they are unpacked to, each once (also where case does not count)."""
    names: list[str] = []
    taken: set[str] = set()
    for path in paths:
        parts = [
            part.strip(". ") or "_" for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("/", "..")
        ]
        place = PurePosixPath(*parts) if parts else PurePosixPath("file")
        name, number = place.as_posix(), 2
        while name.casefold() in taken:
            name = place.with_stem(f"{place.stem} ({number})").as_posix()
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names


async def archived(files: ArtifactStore, artifacts: Sequence[Artifact], name: str) -> StreamingResponse:
    """The archive as a download."""
    pieces = _pieces(files, artifacts)
    first = await anext(pieces, b"")  # so that a missing blob is told before the headers are sent

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    headers = safe_headers(disposition("attachment", f"{name}.zip"), "application/zip")
    return StreamingResponse(whole(), 200, headers)


async def _pieces(files: ArtifactStore, artifacts: Sequence[Artifact]) -> AsyncIterator[bytes]:
    outlet = _Outlet()
    names = safe_names([artifact.path for artifact in artifacts])
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:  # factory: allow Y03 -- it writes to memory
        for artifact, name in zip(artifacts, names, strict=True):
            if artifact.blob_key is None:
                continue
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as target:
                async for piece in files.read(artifact.blob_key):
                    target.write(piece)
                    if found := outlet.taken():
                        yield found
            yield outlet.taken()
    yield outlet.taken()
