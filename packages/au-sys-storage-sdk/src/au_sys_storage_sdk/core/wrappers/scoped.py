"""Only some namespaces: what a program is handed that must not see the others."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import OutOfReach
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding


class Scoped(Forwarding):
    """Namespaces that fit one of the patterns (``notes.*``), of one tenant if given; others raise ``OutOfReach``."""

    def __init__(self, inner: DocumentStore, patterns: Sequence[str], tenant: str | None = None) -> None:
        super().__init__(inner)
        self._patterns = tuple(patterns)
        self._tenant = tenant

    def _fits(self, space: Space) -> bool:
        own = self._tenant is None or space.tenant == self._tenant
        return own and any(fnmatchcase(space.namespace, pattern) for pattern in self._patterns)

    def _demand(self, space: Space) -> None:
        if not self._fits(space):
            raise OutOfReach(space.namespace)

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        self._demand(space)
        return await self.inner.get(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        self._demand(space)
        return await self.inner.head(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        for operation in operations:
            self._demand(operation.space)
        return await self.inner.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        self._demand(space)
        return await self.inner.scan(space, prefix, after, limit, max_bytes, keys_only)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        self._demand(space)
        return await self.inner.count(space, prefix)

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        if space is not None:
            self._demand(space)
        return await self.inner.sequence(space)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """Entries of other namespaces are passed over."""
        if space is not None:
            self._demand(space)
        found, seen = await self.inner.changes(since, limit, space)
        return [change for change in found if self._fits(change.space)], seen

    async def usage(self) -> Sequence[SpaceUsage]:
        """Only the namespaces in scope."""
        return [used for used in await self.inner.usage() if self._fits(Space(used.tenant, used.namespace))]
