"""Vault on the storage SDK: a namespace of blobs that no route of the storage capability reaches."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import cached_property

from au_sys_identity.core.errors import NotFound, StoreUnavailable
from au_sys_storage_sdk import ABSENT, Blobs, Conflict, StorageError
from au_sys_storage_sdk import NotFound as NoBlob

NAMESPACE = "identity.backups"


class BlobVault:
    """Archives, wrapped keys and the ledger as blobs."""

    def __init__(self, open_store: Callable[[], Blobs]) -> None:
        """The store is opened when it is first needed."""
        self._open = open_store

    @cached_property
    def _blobs(self) -> Blobs:
        return self._open().scoped(NAMESPACE)

    async def write(self, name: str, content: AsyncIterable[bytes]) -> tuple[int, str]:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            info = await self._blobs.write(name, content)
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error
        return info.size, info.sha256

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            async for piece in self._blobs.read(name):
                yield piece
        except NoBlob:
            raise NotFound("backup") from None
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    async def replace(self, name: str, content: bytes) -> None:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            await self._blobs.write(name, content)
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    async def get(self, name: str) -> bytes | None:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            return await self._blobs.read_bytes(name)
        except NoBlob:
            return None
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    async def put_new(self, name: str, content: bytes) -> bool:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            await self._blobs.write(name, content, if_match=ABSENT)
        except Conflict:
            return False
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error
        return True

    async def names(self, prefix: str, after: str = "") -> list[str]:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            return [info.key for info in (await self._blobs.list(prefix, after, 1_000)).items]
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    async def delete(self, name: str) -> None:
        """See :class:`~au_sys_identity.core.recovery.ports.Vault`."""
        try:
            await self._blobs.delete(name)
        except (StorageError, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    async def close(self) -> None:
        """Close the store, if it was opened."""
        if "_blobs" in self.__dict__:
            await self._blobs.close()
