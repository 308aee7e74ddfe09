"""Blobs in a bucket: bytes first, then the head that makes them seen; a crash leaves at most what a sweep finds."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import obstore

from au_sys_storage_sdk.adapters.objects import layout
from au_sys_storage_sdk.adapters.objects.heads import Heads, Listed, Store
from au_sys_storage_sdk.adapters.objects.incoming import Incoming
from au_sys_storage_sdk.adapters.objects.layout import Head, translated
from au_sys_storage_sdk.adapters.objects.reading import ObjectBlob
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.blobs.ports import Method
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import Conflict, Corrupt, NotFound, Unavailable, Unsupported
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition, require

_FEATURES = frozenset({Feature.SCAN, Feature.RANGE, Feature.DURABLE, Feature.PRESIGN})
_SUPERSEDED = timedelta(hours=1)
_ABANDONED = timedelta(hours=24)


class _Pending(msgspec.Struct):
    """Which key some data is meant for."""

    tenant: str
    namespace: str
    key: str


class ObjectBlobs:
    """A BlobStore in a bucket of an object store. The version of a blob counts the writes to its key."""

    name = "objects"

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock = system_clock,
        superseded: timedelta = _SUPERSEDED,
        conditional: bool = True,
    ) -> None:
        self.features = _FEATURES | {Feature.CAS} if conditional else _FEATURES
        self._store = store
        self._clock = clock
        self._superseded = superseded
        self._heads = Heads(store)
        self._closed = False

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """See the port. A condition is looked at before the bytes are sent, and decided when they are there."""
        self._open()
        if condition is not None:
            number, head = await self._heads.present(space, key)
            require(condition, None if head is None else number, space.namespace, key)
        incoming = Incoming(self._store, lambda name: self._begun(name, space, key))
        await incoming.take(chunks)
        try:
            info = await self._settled(space, key, condition, incoming.head(key, content_type))
        except Conflict:
            await self._remove(incoming.data)
            raise
        await self._arrived(incoming.data)
        return info

    async def _begun(self, name: str, space: Space, key: str) -> None:
        text = layout.encode(_Pending(space.tenant, space.namespace, key))
        with translated():
            await obstore.put_async(self._store, f"{layout.PENDING}/{name}", text, use_multipart=False)

    async def _arrived(self, data: str) -> None:
        if data:
            await self._delete(f"{layout.PENDING}/{data}")

    async def _remove(self, data: str) -> None:
        if data:
            await self._delete(f"{layout.DATA}/{data}")
            await self._delete(f"{layout.PENDING}/{data}")

    async def _delete(self, path: str) -> None:
        with translated():
            try:
                await obstore.delete_async(self._store, path)
            except FileNotFoundError:
                return

    async def _settled(self, space: Space, key: str, condition: Condition, made: Head) -> BlobInfo:
        now = self._clock()

        def decide(number: int, head: Head | None) -> Head:
            require(condition, None if head is None else number, space.namespace, key)
            return msgspec.structs.replace(made, created=now if head is None else head.created, updated=now)

        number, head = await self._heads.decided(space, key, decide)
        return (head or made).info(number)

    async def _found(self, space: Space, key: str) -> tuple[int, Head]:
        self._open()
        number, head = await self._heads.present(space, key)
        if head is None:
            raise NotFound(space.namespace, key)
        return number, head

    async def open(self, space: Space, key: str) -> ObjectBlob:
        """See the port."""
        number, head = await self._found(space, key)
        return ObjectBlob(self._store, head.info(number), head)

    async def head(self, space: Space, key: str) -> BlobInfo | None:
        """See the port."""
        self._open()
        number, head = await self._heads.present(space, key)
        return None if head is None else head.info(number)

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """See the port. The key keeps its numbers: an entry that says "gone" stays."""
        self._open()
        now = self._clock()

        def decide(number: int, head: Head | None) -> Head | None:
            require(condition, None if head is None else number, space.namespace, key)
            return None if head is None else Head(key, now, gone=True)

        _, made = await self._heads.decided(space, key, decide)
        return made is not None

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]:
        """See the port. Each entry is read, so a page costs one request a blob, sixteen at a time."""
        self._open()
        items: list[BlobInfo] = []
        async for info in self._in_order(space, prefix, after, limit):
            if len(items) == limit:
                return Page(tuple(items), items[-1].key)
            items.append(info)
        return Page(tuple(items))

    async def _in_order(self, space: Space, prefix: str, after: str, limit: int) -> AsyncIterator[BlobInfo]:
        async for group in self._groups(space, prefix, after, limit + 1):
            heads = await asyncio.gather(*(self._heads.read(space, item.name, item.numbers[-1]) for item in group))
            infos = [
                head.info(item.numbers[-1])
                for item, head in zip(group, heads, strict=True)
                if not head.gone and head.key.startswith(prefix) and head.key > after
            ]
            for info in sorted(infos, key=lambda info: info.key):
                yield info

    async def _groups(self, space: Space, prefix: str, after: str, size: int) -> AsyncIterator[Sequence[Listed]]:
        """Names in groups that may be sorted each for itself: names that are cut stay with others like them."""
        base, start = layout.folder(space), layout.start_of(prefix)
        offset = f"{base}/{layout.start_of(after)}/z" if after >= prefix and after else f"{base}/{start}"
        group: list[Listed] = []
        async for listed in self._heads.listed(base, offset if start or after else None):
            if not listed.name.startswith(start):
                break
            cut = layout.is_cut(listed.name)
            together = cut and group and layout.is_cut(group[-1].name) and _stem(group[-1]) == _stem(listed)
            if len(group) >= size and not together:
                yield group
                group = []
            group.append(listed)
        yield group

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """See the port. The store copies the bytes by itself (S3: up to 5 GiB)."""
        _, source = await self._found(space, key)
        made = msgspec.structs.replace(source, key=target_key)
        if source.data:
            name = secrets.token_hex(16)
            await self._begun(name, target, target_key)
            with translated():
                try:
                    await obstore.copy_async(self._store, f"{layout.DATA}/{source.data}", f"{layout.DATA}/{name}")
                    copied = await obstore.head_async(self._store, f"{layout.DATA}/{name}")
                except FileNotFoundError:
                    raise Corrupt(f"blob {key!r}", "its bytes are missing") from None
            if copied["size"] != source.size:
                raise Corrupt(f"blob {key!r}", "the store has copied other bytes")
            made = msgspec.structs.replace(made, data=name)
        try:
            info = await self._settled(target, target_key, condition, made)
        except Conflict:
            await self._remove(made.data)
            raise
        await self._arrived(made.data)
        return info

    async def presign(self, space: Space, key: str, method: Method, seconds: int) -> str:
        """See the port. Small blobs lie in their entries and have no address."""
        _, head = await self._found(space, key)
        if not head.data:
            raise Unsupported(self.name, f"{Feature.PRESIGN.value} of a blob of up to 64 KiB; read it here")
        with translated():
            return str(
                await obstore.sign_async(self._store, method, f"{layout.DATA}/{head.data}", timedelta(seconds=seconds))
            )

    async def usage(self) -> Sequence[Usage]:
        """See the port. It reads every entry: for operators, not for a request of each user."""
        self._open()
        counted: dict[Space, tuple[int, int]] = {}
        async for listed in self._heads.listed(layout.HEADS, None):
            head = await self._heads.read(listed.space, listed.name, listed.numbers[-1])
            if not head.gone:
                count, size = counted.get(listed.space, (0, 0))
                counted[listed.space] = (count + 1, size + head.size)
        return [Usage(space.tenant, space.namespace, *held) for space, held in sorted(counted.items())]

    async def sweep(self) -> int:
        """See the port: entries that were followed by others an hour ago with their data, and data whose write has not
        ended within a day.
        """
        self._open()
        removed, now = 0, datetime.now(UTC)
        async for listed in self._heads.listed(layout.HEADS, None):
            for number, followed in zip(listed.numbers[:-1], listed.times[1:], strict=True):
                if now - followed >= self._superseded:
                    head = await self._heads.read(listed.space, listed.name, number)
                    await self._remove(head.data)
                    await self._delete(layout.head_path(listed.space, listed.name, number))
                    removed += 1
        return removed + await self._sweep_pending(now)

    async def _sweep_pending(self, now: datetime) -> int:
        removed = 0
        with translated():
            async for chunk in obstore.list(self._store, layout.PENDING):
                for item in chunk:
                    if now - item["last_modified"] >= max(_ABANDONED, self._superseded):
                        removed += await self._abandoned(item["path"])
        return removed

    async def _abandoned(self, path: str) -> int:
        data = path.rpartition("/")[2]
        try:
            text = await (await obstore.get_async(self._store, path)).bytes_async()
            known = msgspec.json.decode(bytes(text), type=_Pending)
        except (FileNotFoundError, msgspec.DecodeError):
            return 0
        _, head = await self._heads.present(Space(known.tenant, known.namespace), known.key)
        if head is not None and head.data == data:
            await self._delete(path)
            return 0
        await self._remove(data)
        return 1

    async def ping(self) -> None:
        """See the port."""
        await self._heads.present(Space("default", "ping"), "ping")

    async def close(self) -> None:
        """The client closes its connections by itself."""
        self._closed = True


def _stem(listed: Listed) -> str:
    return listed.name.partition("z")[0]
