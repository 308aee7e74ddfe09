"""The plain wrapper: every call goes to the store inside. Wrappers derive from it and change what they are about."""

from __future__ import annotations

from collections.abc import Sequence

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.paging import Page


class Forwarding:
    """A DocumentStore around another; see the port for each method."""

    def __init__(self, inner: DocumentStore) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        """The kind of the backend inside."""
        return self.inner.name

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend inside can do."""
        return self.inner.features

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self.inner.get(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self.inner.head(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        return await self.inner.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        return await self.inner.scan(space, prefix, after, limit, max_bytes, keys_only)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        return await self.inner.count(space, prefix)

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        return await self.inner.sequence(space)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        return await self.inner.changes(since, limit, space)

    async def wait(self, since: int) -> None:
        """See the port."""
        await self.inner.wait(since)

    async def compact(self, keep: int) -> int:
        """See the port."""
        return await self.inner.compact(keep)

    async def sweep(self) -> int:
        """See the port."""
        return await self.inner.sweep()

    async def replicate(self, replica: Replica) -> None:
        """See the port."""
        await self.inner.replicate(replica)

    async def standing(self) -> Standing:
        """See the port."""
        return await self.inner.standing()

    async def stand(self, standing: Standing) -> None:
        """See the port."""
        await self.inner.stand(standing)

    async def erase(self) -> None:
        """See the port."""
        await self.inner.erase()

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port."""
        return await self.inner.usage()

    async def ping(self) -> None:
        """See the port."""
        await self.inner.ping()

    async def close(self) -> None:
        """See the port."""
        await self.inner.close()
