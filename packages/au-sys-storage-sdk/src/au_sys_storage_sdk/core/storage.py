"""Storage: documents (and blobs beside them) of one tenant over one backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, overload

from au_sys_storage_sdk.core.address import DEFAULT_TENANT, space
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.changes import follow
from au_sys_storage_sdk.core.documents.models import MAX_VALUE, Change, Feature, SpaceUsage
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.transactions import Transaction
from au_sys_storage_sdk.core.documents.values import PlainValues, TypedValues, Upcast
from au_sys_storage_sdk.core.errors import Unsupported

T = TypeVar("T")
Plain: TypeAlias = Namespace[Any]  # Any: plain JSON, of whatever shape the caller stores


class Storage:
    """The way in: namespaces, transactions, the change feed."""

    __slots__ = ("_blobs", "_max_value", "_store", "_tenant")

    def __init__(
        self,
        store: DocumentStore,
        blobs: Blobs | None = None,
        *,
        tenant: str = DEFAULT_TENANT,
        max_value: int = MAX_VALUE,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._tenant = tenant
        self._max_value = max_value

    @property
    def backend(self) -> str:
        """The kind of backend underneath."""
        return self._store.name

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend can do."""
        return self._store.features

    @property
    def store(self) -> DocumentStore:
        """The backend itself, for wrappers and operators."""
        return self._store

    def for_tenant(self, tenant: str) -> Storage:
        """The same backend for another tenant."""
        return Storage(self._store, self._blobs, tenant=tenant, max_value=self._max_value)

    @overload
    def namespace(
        self,
        name: str,
        *,
        schema: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        fields: Sequence[str] = (),
    ) -> Plain: ...
    @overload
    def namespace(
        self,
        name: str,
        model: type[T],
        *,
        schema: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        fields: Sequence[str] = (),
    ) -> Namespace[T]: ...
    def namespace(
        self,
        name: str,
        model: type[T] | None = None,
        *,
        schema: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        fields: Sequence[str] = (),
    ) -> Namespace[T] | Plain:
        """Documents under a name: plain JSON, or a pydantic model, msgspec struct or other type that msgspec validates.

        ``upcast`` turns a value of schema n into one of n + 1: ``{2: f}`` together with ``schema=3``. ``fields``: what
        :meth:`Namespace.query` may ask for.

        Raises:
            InvalidInput: the name breaks its rule or is reserved, or a step of ``upcast`` is missing.
        """
        where = space(name, self._tenant)
        if model is None:
            values = PlainValues() if schema == 1 else TypedValues(Any, schema, upcast)  # Any: plain JSON
            return Plain(self._store, where, values, max_value=self._max_value, fields=fields)
        typed = TypedValues(model, schema, upcast)
        return Namespace(self._store, where, typed, max_value=self._max_value, fields=fields)

    def blobs(self, name: str) -> Blobs:
        """Byte streams under a name. Raises ``Unsupported`` when no blob backend was opened beside the documents."""
        if self._blobs is None:
            raise Unsupported(self.backend, "blobs")
        return self._blobs.scoped(name, self._tenant)

    def transaction(self) -> Transaction:
        """Steps over several namespaces that are committed together or not at all. Raises ``Unsupported``."""
        return Transaction(self._store)

    def watch(self, since: int = 0) -> AsyncIterator[Change]:
        """Every change of every namespace (of every tenant) after ``since``: for operators and switches."""
        if Feature.WATCH not in self._store.features:
            raise Unsupported(self.backend, "WATCH")
        return follow(self._store, since)

    async def sequence(self) -> int:
        """The sequence of the last write."""
        return await self._store.sequence()

    async def usage(self) -> Sequence[SpaceUsage]:
        """Count and size of every namespace of every tenant."""
        return await self._store.usage()

    async def sweep(self) -> int:
        """Remove what has expired; how many documents."""
        return await self._store.sweep()

    async def compact(self, keep: int) -> int:
        """Forget all but the newest ``keep`` entries of the change feed; how many were forgotten."""
        return await self._store.compact(keep)

    async def ping(self) -> None:
        """Raise ``Unavailable`` when the backend does not answer."""
        await self._store.ping()

    async def close(self) -> None:
        """Finish what waits and close the backend."""
        await self._store.close()
        if self._blobs is not None:
            await self._blobs.close()

    async def __aenter__(self) -> Storage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
