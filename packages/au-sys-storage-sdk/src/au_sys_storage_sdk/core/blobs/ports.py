"""BlobStore: what a backend for byte streams does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition


class BlobStore(Protocol):
    """Streams in, streams out. Addresses arrive validated; a write is seen whole or not at all."""

    @property
    def name(self) -> str:
        """The kind of backend, for messages and statistics."""

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """Store a stream durably. Nothing is stored when ``chunks`` raises.

        Raises:
            Conflict: the condition does not hold.
            TooLarge: the stream is longer than the backend takes.
        """

    def read(self, space: Space, key: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to and without ``end``, checked before they are handed on.

        Raises:
            NotFound: on the first step.
            InvalidInput: the range lies outside.
            Corrupt: the stored bytes are not the written ones.
        """

    async def head(self, space: Space, key: str) -> BlobInfo | None: ...

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """Whether something was deleted. Raises ``Conflict`` when the condition does not hold."""

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]: ...

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """Store the same bytes elsewhere without reading them. Raises ``NotFound`` and ``Conflict``."""

    async def usage(self) -> Sequence[Usage]: ...

    async def sweep(self) -> int:
        """Remove what interrupted writes left behind; how many pieces were removed."""

    async def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""

    async def close(self) -> None: ...
