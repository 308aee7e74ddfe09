"""Inputs and artifacts of runs as blobs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that is durable now."""

    key: str
    bytes: int
    sha256: str


class ArtifactStore(Protocol):
    """Inputs and artifacts as blobs; keys are ``runs/<run id>/…``. Raises ``StorageUnavailable`` and ``NotFound``."""

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> StoredBlob:
        """Stream to a durable blob; when the iterator raises, nothing is kept."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]: ...

    async def delete(self, key: str) -> None:
        """Idempotent."""
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]: ...
