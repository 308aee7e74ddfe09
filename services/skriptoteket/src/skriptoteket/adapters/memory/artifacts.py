"""ArtifactStore and Doorbell in memory."""

import hashlib
from collections.abc import AsyncIterator

from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.ports.files import StoredBlob


class MemoryArtifactStore:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> StoredBlob:
        """Keep the bytes once the iterator is through."""
        content = b"".join([piece async for piece in chunks])
        self.blobs[key] = content
        return StoredBlob(key, len(content), hashlib.sha256(content).hexdigest())

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes, in one piece. Raises ``NotFound`` on the first step."""
        if key not in self.blobs:
            raise NotFound("file", key)
        yield self.blobs[key][start:end]

    async def delete(self, key: str) -> None:
        """Idempotent."""
        self.blobs.pop(key, None)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """Every key that begins so, in order."""
        for key in sorted(self.blobs):
            if key.startswith(prefix):
                yield key


class RememberedBell:
    """Keeps which runs were rung for."""

    def __init__(self) -> None:
        self.rung: list[RunId] = []

    async def ring(self, run_id: RunId) -> None:
        """Note the run."""
        self.rung.append(run_id)
