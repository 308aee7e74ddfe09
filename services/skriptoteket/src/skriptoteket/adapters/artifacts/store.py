"""ArtifactStore through the storage SDK: every key lies under the library's own scope."""

from collections.abc import AsyncIterator

from au_sys_storage_sdk import Blobs, StorageError, TooLarge
from au_sys_storage_sdk import NotFound as BlobNotFound
from skriptoteket.core.errors import NotFound, PayloadTooLarge, StorageUnavailable
from skriptoteket.core.runs.ports.files import StoredBlob


class BlobArtifactStore:
    """Inputs and artifacts as blobs of one namespace. Lives as long as the process; whoever opened the blobs closes
    them."""

    def __init__(self, blobs: Blobs, namespace: str = "skriptoteket") -> None:
        self._blobs = blobs.scoped(namespace)

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> StoredBlob:
        """Stream to a durable blob; when the iterator raises, nothing is kept.

        Raises:
            PayloadTooLarge: the store takes no file of this size.
            StorageUnavailable: the store does not answer.
        """
        try:
            info = await self._blobs.write(key, chunks)
        except TooLarge as error:
            raise PayloadTooLarge("The file", str(error)) from error
        except (StorageError, OSError) as error:
            raise StorageUnavailable("write") from error
        return StoredBlob(key, info.size, info.sha256)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes, piece by piece.

        Raises:
            NotFound, StorageUnavailable: on the first step.
        """
        try:
            async for piece in self._blobs.read(key, start, end):
                yield piece
        except BlobNotFound:
            raise NotFound("file", key) from None
        except (StorageError, OSError) as error:
            raise StorageUnavailable("read") from error

    async def delete(self, key: str) -> None:
        """Idempotent.

        Raises:
            StorageUnavailable: the store does not answer.
        """
        try:
            await self._blobs.delete(key)
        except (StorageError, OSError) as error:
            raise StorageUnavailable("delete") from error

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """Every key that begins so, in order."""
        after: str | None = ""
        while after is not None:
            page = await self._blobs.list(prefix, after)
            for info in page.items:
                yield info.key
            after = page.after
