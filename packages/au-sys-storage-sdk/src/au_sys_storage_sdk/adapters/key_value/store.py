"""A key-value store as py-key-value (``key_value.aio``) describes it, in one namespace of a storage.

Unlike its own stores it is durable where the backend is, its writes are in the change feed, and nothing is evicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, SupportsFloat
from urllib.parse import quote, unquote

from key_value.aio.errors import (
    InvalidKeyError,
    InvalidTTLError,
    SerializationError,
    StoreConnectionError,
    ValueTooLargeError,
)

from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.models import Document
from au_sys_storage_sdk.core.documents.namespace import Delete, Get, Put
from au_sys_storage_sdk.core.documents.operations import MAX_OPERATIONS
from au_sys_storage_sdk.core.errors import InvalidInput, StorageError, TooLarge, Unavailable
from au_sys_storage_sdk.core.paging import MAX_LIMIT
from au_sys_storage_sdk.core.storage import Storage

Value = dict[str, Any]  # Any: JSON, as the protocol has it
Given = Mapping[str, Any]  # Any: the same

DEFAULT_COLLECTION = "default_collection"


class StorageKeyValue:
    """Implements ``AsyncKeyValue`` and its parts for keys, collections and culling. The storage stays its owner's.

    A collection is a prefix of keys, so its name may be any text; collection and key together have 1,024 bytes.
    """

    def __init__(
        self,
        storage: Storage,
        namespace: str = "key-value",
        *,
        default_collection: str = DEFAULT_COLLECTION,
        clock: Clock = system_clock,
    ) -> None:
        self._storage = storage
        self._space = storage.namespace(namespace)
        self._default = default_collection
        self._clock = clock

    def _prefix(self, collection: str | None) -> str:
        return quote(collection or self._default, safe="") + "/"

    async def get(self, key: str, *, collection: str | None = None) -> Value | None:
        """The value, or ``None``."""
        return (await self.ttl(key, collection=collection))[0]

    async def ttl(self, key: str, *, collection: str | None = None) -> tuple[Value | None, float | None]:
        """The value and the seconds that it has left."""
        return (await self.ttl_many([key], collection=collection))[0]

    async def put(
        self, key: str, value: Given, *, collection: str | None = None, ttl: SupportsFloat | None = None
    ) -> None:
        """Store a value."""
        await self.put_many([key], [value], collection=collection, ttl=ttl)

    async def delete(self, key: str, *, collection: str | None = None) -> bool:
        """Whether something was deleted."""
        return await self.delete_many([key], collection=collection) == 1

    async def get_many(self, keys: Sequence[str], *, collection: str | None = None) -> list[Value | None]:
        """The values in the order of the keys."""
        return [value for value, _ in await self.ttl_many(keys, collection=collection)]

    async def ttl_many(
        self, keys: Sequence[str], *, collection: str | None = None
    ) -> list[tuple[Value | None, float | None]]:
        """Values and the seconds that they have left, in the order of the keys."""
        prefix = self._prefix(collection)
        return [self._left(answer) for answer in await self._many([Get(prefix + key) for key in keys])]

    def _left(self, answer: object) -> tuple[Value | None, float | None]:
        if not isinstance(answer, Document):
            return None, None
        left = None if answer.expires is None else (answer.expires - self._clock()) / 1000
        return answer.value, left

    async def put_many(
        self,
        keys: Sequence[str],
        values: Sequence[Given],
        *,
        collection: str | None = None,
        ttl: SupportsFloat | None = None,
    ) -> None:
        """Store values; what fails is raised after the others were stored."""
        seconds, prefix = _seconds(ttl), self._prefix(collection)
        await self._many([Put(prefix + key, dict(value), ttl=seconds) for key, value in zip(keys, values, strict=True)])

    async def delete_many(self, keys: Sequence[str], *, collection: str | None = None) -> int:
        """How many there were."""
        prefix = self._prefix(collection)
        return sum(answer is True for answer in await self._many([Delete(prefix + key) for key in keys]))

    async def _many(self, items: Sequence[Get | Put | Delete]) -> list[object]:
        answers: list[object] = []
        for start in range(0, len(items), MAX_OPERATIONS):
            with _translated():
                some = await self._space.many(items[start : start + MAX_OPERATIONS])
                answers += some
                for answer in some:
                    if isinstance(answer, StorageError):
                        raise answer
        return answers

    async def keys(self, collection: str | None = None, *, limit: int | None = None) -> list[str]:
        """Keys of a collection in order; all of them without a limit."""
        prefix = self._prefix(collection)
        return [key.removeprefix(prefix) for key in await self._all(prefix, limit)]

    async def _all(self, prefix: str, limit: int | None) -> list[str]:
        found: list[str] = []
        after: str | None = ""
        while after is not None and (limit is None or len(found) < limit):
            with _translated():
                page = await self._space.keys(prefix, after, MAX_LIMIT)
            found += page.items
            after = page.after
        return found[:limit]

    async def collections(self, *, limit: int | None = None) -> list[str]:
        """Collections that hold something. Every key is looked at."""
        names = dict.fromkeys(key.partition("/")[0] for key in await self._all("", None))
        return [unquote(name) for name in names][:limit]

    async def destroy_collection(self, collection: str) -> bool:
        """Delete everything in a collection; whether there was something."""
        return await self.delete_many(await self.keys(collection), collection=collection) > 0

    async def cull(self) -> None:
        """Remove what has expired."""
        with _translated():
            await self._storage.sweep()


def _seconds(ttl: SupportsFloat | None) -> float | None:
    if ttl is None:
        return None
    seconds = float(ttl)
    if not seconds > 0:
        raise InvalidTTLError(ttl=ttl)
    return seconds


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the protocol's errors, for callers that know no others."""
    try:
        yield
    except InvalidInput as error:
        raise (InvalidKeyError if error.field == "key" else SerializationError)(str(error)) from error
    except TooLarge as error:
        raise ValueTooLargeError(error.size or 0, error.limit) from error
    except Unavailable as error:
        raise StoreConnectionError(str(error)) from error
