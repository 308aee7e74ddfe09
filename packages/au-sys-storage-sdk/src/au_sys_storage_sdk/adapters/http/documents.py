"""Documents on another platform. The tenant is that of the credential; there is no way to ask for another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from au_sys_storage_sdk.adapters.http import feed, steps
from au_sys_storage_sdk.adapters.http.answers import not_storage, times_of, version_of
from au_sys_storage_sdk.adapters.http.wire import Call, Wire, address, fresh_key
from au_sys_storage_sdk.core.address import DEFAULT_TENANT, Space
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import NotFound, Unavailable, Unsupported
from au_sys_storage_sdk.core.paging import MAX_LIMIT, Page

_SCAN_BYTES = 4 * 1024 * 1024
_GLANCE = 0.5
"""Seconds after which somebody who waits looks again; :meth:`HttpDocuments.follow` is told at once."""


class _Item(msgspec.Struct):
    """An entry of a list."""

    key: str
    version: int
    created: int
    updated: int
    expires: int | None = None
    schema: int = 1
    value: msgspec.Raw = msgspec.Raw()


class _List(msgspec.Struct):
    """A page."""

    items: list[_Item]
    after: str | None


class _Used(msgspec.Struct):
    """What a namespace holds."""

    namespace: str
    documents: int
    document_bytes: int
    sequence: int


class _Status(msgspec.Struct):
    """The part of the status that is asked for here."""

    sequence: int
    namespaces: list[_Used]


class HttpDocuments:
    """A DocumentStore behind the HTTP API. Whether an acknowledged write is durable is up to the server's backend."""

    name = "http"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.TTL, Feature.TXN, Feature.WATCH})

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._closed = asyncio.Event()

    @staticmethod
    def _own(space: Space) -> str:
        if space.tenant != DEFAULT_TENANT:
            raise Unsupported("http", "another tenant than the credential's")
        return space.namespace

    def _call(self, method: str, space: Space, *key: str, **parts: Any) -> Call:  # Any: fields of Call
        if self._closed.is_set():
            raise Unavailable("the store is closed")
        namespace = self._own(space)
        return Call(method, address("storage", namespace, *key), namespace, key[0] if key else "", **parts)

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._found("GET", space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._found("HEAD", space, key)

    async def _found(self, method: str, space: Space, key: str) -> Stored | None:
        try:
            response = await self._wire.send(self._call(method, space, key))
        except NotFound:
            return None
        created, updated, expires = times_of(response)
        schema = int(response.headers.get("storage-schema", "1"))
        return Stored(key, response.content, version_of(response), created, updated, expires or None, schema)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. The request carries an idempotency key that is committed with the write, so it may be repeated
        after a lost answer without being carried out twice.
        """
        for operation in operations:
            self._own(operation.space)
        if self._closed.is_set():
            raise Unavailable("the store is closed")
        headers = {"Content-Type": "application/json"}
        if not steps.idempotent(operations):
            headers["Idempotency-Key"] = fresh_key()
        first = operations[0]
        call = Call(
            "POST", "/storage:transaction", first.space.namespace, first.key,
            headers=headers, content=steps.encoded(operations),
        )  # fmt: skip
        return steps.outcomes(await self._wire.send(call), len(operations))

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        asked: dict[str, str | int] = {
            "prefix": prefix, "after": after, "limit": limit, "max_bytes": min(max_bytes, _SCAN_BYTES),
            "include": "keys" if keys_only else "values",
        }  # fmt: skip
        response = await self._wire.send(self._call("GET", space, params=asked))
        try:
            page = msgspec.json.decode(response.content, type=_List)
        except msgspec.DecodeError:
            not_storage(response)
        items = (
            Stored(item.key, bytes(item.value), item.version, item.created, item.updated, item.expires, item.schema)
            for item in page.items
        )
        return Page(tuple(items), page.after)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port. It asks for the keys, a thousand at a time."""
        number, after = 0, ""
        while True:
            page = await self.scan(space, prefix, after, MAX_LIMIT, _SCAN_BYTES, keys_only=True)
            number += len(page.items)
            if page.after is None:
                return number
            after = page.after

    async def sequence(self, space: Space | None = None) -> int:
        """See the port. That of everything needs the right ``storage.backends.read``."""
        if space is None:
            return (await self._status()).sequence
        return version_of(await self._wire.send(self._call("HEAD", space)))

    async def _status(self) -> _Status:
        response = await self._wire.send(Call("GET", "/storage"))
        try:
            return msgspec.json.decode(response.content, type=_Status)
        except msgspec.DecodeError:
            not_storage(response)

    def follow(self, since: int, space: Space | None, prefix: str) -> AsyncIterator[Change]:
        """Every later change of a namespace as the server tells it; a connection that breaks is made again."""
        if space is None:
            raise Unsupported(self.name, "the feed of all namespaces")
        return feed.follow(self._wire, self._call("GET", space), space, since, prefix)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        if space is None:
            raise Unsupported(self.name, "the feed of all namespaces")
        upto = await self.sequence(space)
        if upto <= since:
            return [], since
        found: list[Change] = []
        async for change in feed.part(self._wire, self._call("GET", space), space, since, upto):
            found.append(change)
            if len(found) == limit:
                return found, change.seq
        return found, upto

    async def wait(self, since: int) -> None:
        """See the port. The server has no call for it, so this returns after a moment and whoever waits looks again."""
        try:
            async with asyncio.timeout(_GLANCE):
                await self._closed.wait()
        except TimeoutError:
            return

    async def compact(self, keep: int) -> int:
        """The server forgets old changes by itself."""
        raise Unsupported(self.name, "compact; the server does it by itself")

    async def sweep(self) -> int:
        """The server removes what has expired by itself."""
        return 0

    async def replicate(self, replica: Replica) -> None:
        """Whole backends are moved by the server's own switch."""
        raise Unsupported(self.name, "replicate; switch backends on the server")

    async def standing(self) -> Standing:
        """See :meth:`replicate`."""
        raise Unsupported(self.name, "standing; switch backends on the server")

    async def stand(self, standing: Standing) -> None:
        """See :meth:`replicate`."""
        raise Unsupported(self.name, "stand; switch backends on the server")

    async def erase(self) -> None:
        """See :meth:`replicate`."""
        raise Unsupported(self.name, "erase; switch backends on the server")

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port; the caller's own tenant. Needs the right ``storage.backends.read``."""
        used = (await self._status()).namespaces
        return [
            SpaceUsage(DEFAULT_TENANT, item.namespace, item.documents, item.document_bytes, item.sequence)
            for item in used
            if item.documents
        ]

    async def ping(self) -> None:
        """See the port."""
        await self._wire.send(Call("GET", "/health/ready"))

    async def close(self) -> None:
        """Close the connections."""
        self._closed.set()
        await self._wire.close()
