"""Documents in several stores, each with namespaces of its own: what is moved of one leaves the others alone.

Every part has its own sequence, feed, epoch and fence. So versions and positions in the feed are those of a namespace's
part, a transaction stays within one part, and there is no feed of everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.changes import follow
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import InvalidInput, Unsupported
from au_sys_storage_sdk.core.paging import Page

MAIN = ""
"""The name of the part that holds every namespace which no other one names."""

KEPT_BESIDE = "storage."
"""Namespaces that begin like this hold what storage remembers of others (answers, edits): it lies in their part."""


@dataclass(frozen=True, slots=True)
class Division:
    """Which namespaces belong to which part: the first of whose patterns (``notes.*``) one fits."""

    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def part_of(self, namespace: str) -> str:
        """The part of a namespace."""
        if namespace.startswith(KEPT_BESIDE):
            return MAIN
        return next((name for name, patterns in self.parts if _fits(namespace, patterns)), MAIN)

    def belongs(self, namespace: str, part: str) -> bool:
        """Whether documents of the namespace may lie in the part."""
        return namespace.startswith(KEPT_BESIDE) or self.part_of(namespace) == part


def _fits(namespace: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in patterns)


class Divided:
    """A DocumentStore over the stores of the parts; see the port for each method."""

    def __init__(self, stores: dict[str, DocumentStore], division: Division) -> None:
        self._stores = stores
        self._of = lru_cache(maxsize=4096)(lambda namespace: stores[division.part_of(namespace)])

    @property
    def stores(self) -> Sequence[DocumentStore]:
        """Those of the parts, the main one first."""
        return list(self._stores.values())

    @property
    def name(self) -> str:
        """The kind of the main part's backend."""
        return self._stores[MAIN].name

    @property
    def features(self) -> frozenset[Feature]:
        """What every part can do."""
        return frozenset.intersection(*(store.features for store in self.stores))

    def store_of(self, space: Space) -> DocumentStore:
        """The part that holds a namespace."""
        return self._of(space.namespace)

    async def _holder(self, space: Space, key: str) -> DocumentStore:
        """The part that holds a document; where several could, the one in which it lies."""
        if space.namespace.startswith(KEPT_BESIDE):
            for store in self.stores:
                if await store.head(space, key) is not None:
                    return store
        return self.store_of(space)

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await (await self._holder(space, key)).get(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await (await self._holder(space, key)).head(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. Raises ``InvalidInput`` when the namespaces lie in several parts; nothing is done then."""
        wanted: dict[int, tuple[DocumentStore, str]] = {}
        for operation in operations:
            namespace = operation.space.namespace
            if not namespace.startswith(KEPT_BESIDE):
                store = self.store_of(operation.space)
                wanted.setdefault(id(store), (store, namespace))
        if len(wanted) > 1:
            (_, one), (_, other) = list(wanted.values())[:2]
            raise InvalidInput(
                "transaction", f"namespaces {one!r} and {other!r} lie in different parts of storage (STORAGE_PARTS)",
                "keep to namespaces of one part",
            )  # fmt: skip
        if wanted:
            ((store, _),) = wanted.values()
        elif operations:
            store = await self._holder(operations[0].space, operations[0].key)
        else:
            store = self._stores[MAIN]
        return await store.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        if not space.namespace.startswith(KEPT_BESIDE):
            return await self.store_of(space).scan(space, prefix, after, limit, max_bytes, keys_only)
        pages = [await store.scan(space, prefix, after, limit, max_bytes, keys_only) for store in self.stores]
        horizon = min((page.after for page in pages if page.after is not None), default=None)
        found = sorted((item for page in pages for item in page.items), key=lambda item: item.key)
        shown = [item for item in found if horizon is None or item.key <= horizon][:limit]
        return Page(tuple(shown), shown[-1].key if len(shown) < len(found) or horizon is not None else None)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        if space.namespace.startswith(KEPT_BESIDE):
            return sum([await store.count(space, prefix) for store in self.stores])
        return await self.store_of(space).count(space, prefix)

    async def sequence(self, space: Space | None = None) -> int:
        """See the port. Without a namespace: the greatest of any part, which is a number to show and no position."""
        if space is None:
            return max([await store.sequence() for store in self.stores])
        return await self.store_of(space).sequence(space)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port. Raises ``Unsupported`` without a namespace."""
        if space is None:
            raise Unsupported("divided", "a feed of every namespace")
        return await self.store_of(space).changes(since, limit, space)

    async def wait(self, since: int) -> None:
        """Raises ``Unsupported``: who follows a namespace is led to its part by :meth:`follow`."""
        raise Unsupported("divided", "a feed of every namespace")

    async def follow(self, since: int, space: Space | None, prefix: str) -> AsyncIterator[Change]:
        """Every change of a namespace after ``since``; see :class:`Following`. Raises ``Unsupported`` without one."""
        if space is None:
            raise Unsupported("divided", "a feed of every namespace")
        async for change in follow(self.store_of(space), since, space, prefix):
            yield change

    async def compact(self, keep: int) -> int:
        """See the port."""
        return sum([await store.compact(keep) for store in self.stores])

    async def sweep(self) -> int:
        """See the port."""
        return sum([await store.sweep() for store in self.stores])

    async def replicate(self, replica: Replica) -> None:
        """Raises ``Unsupported``: parts are filled one by one."""
        raise Unsupported("divided", "being filled as a whole")

    async def standing(self) -> Standing:
        """Raises ``Unsupported``: each part has its own."""
        raise Unsupported("divided", "one standing for all")

    async def stand(self, standing: Standing) -> None:
        """Raises ``Unsupported``: see above."""
        raise Unsupported("divided", "one standing for all")

    async def erase(self) -> None:
        """Raises ``Unsupported``: see above."""
        raise Unsupported("divided", "being emptied as a whole")

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port."""
        found: dict[tuple[str, str], SpaceUsage] = {}
        for store in self.stores:
            for used in await store.usage():
                address = (used.tenant, used.namespace)
                known = found.get(address, SpaceUsage(*address, 0, 0, 0))
                found[address] = SpaceUsage(
                    *address, known.count + used.count, known.size + used.size, max(known.sequence, used.sequence)
                )
        return [found[address] for address in sorted(found)]

    async def ping(self) -> None:
        """See the port."""
        await asyncio.gather(*(store.ping() for store in self.stores))

    async def close(self) -> None:
        """Close every part, also when one of them fails."""
        results = await asyncio.gather(*(store.close() for store in self.stores), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result


async def position(store: DocumentStore, space: Space) -> int:
    """Where the feed that tells a namespace's changes stands now."""
    return await (store.store_of(space) if isinstance(store, Divided) else store).sequence()


async def require_in_place(stores: dict[str, DocumentStore], division: Division) -> None:
    """Raise ``InvalidInput`` when documents lie in another part than theirs, so that nobody would find them."""
    for part, store in stores.items():
        for used in await store.usage():
            if used.count and not division.belongs(used.namespace, part):
                raise InvalidInput(
                    "STORAGE_PARTS",
                    f"{used.count} documents of namespace {used.namespace!r} lie in part {part or 'main'!r} and belong"
                    f" to {division.part_of(used.namespace) or 'main'!r}",
                    "move them with 'au-sys-storage divide' while the platform is stopped",
                )
