"""BlobStore: what a backend for byte streams does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol, TypeAlias

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition

Method: TypeAlias = Literal["GET"]
"""What a presigned address is for. Only reading: bytes that came in past the store would have no checked digest."""


class OpenBlob(Protocol):
    """One state of a blob, readable to the end whatever happens to its key."""

    @property
    def info(self) -> BlobInfo: ...

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to and without ``end``; raises ``Corrupt`` before wrong bytes are handed on."""

    async def close(self) -> None: ...


class BlobStore(Protocol):
    """Streams in, streams out. Addresses arrive validated; a write is seen whole or not at all."""

    @property
    def name(self) -> str:
        """The kind of backend, for messages and statistics."""

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend can do. Without CAS every condition is refused as ``Unsupported`` before any effect."""

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """Store a stream durably. Nothing is stored when ``chunks`` raises.

        Raises:
            Conflict: the condition does not hold.
            TooLarge: the stream is longer than the backend takes.
        """

    async def open(self, space: Space, key: str) -> OpenBlob:
        """The blob as it is now. Raises ``NotFound`` and ``Corrupt``."""

    async def head(self, space: Space, key: str) -> BlobInfo | None: ...

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """Whether something was deleted. Raises ``Conflict`` when the condition does not hold."""

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]: ...

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """Store the same bytes elsewhere without reading them. Raises ``NotFound`` and ``Conflict``."""

    async def presign(self, space: Space, key: str, method: Method, seconds: int) -> str:
        """An address that lets whoever has it read the bytes for a while. Raises ``Unsupported``."""

    async def usage(self) -> Sequence[Usage]: ...

    async def sweep(self) -> int:
        """Remove what interrupted writes left behind; how many pieces were removed."""

    async def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""

    async def close(self) -> None: ...
