"""What keys lead to. A write takes the next number of its key; that only one can take it is up to the store.

This needs nothing but "put if nothing is there" (``If-None-Match: *``), which every store of note offers. Numbers below
the present one are kept for an hour, so that nobody who looked before can take one again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import obstore

from au_sys_storage_sdk.adapters.objects import layout
from au_sys_storage_sdk.adapters.objects.layout import Head, translated
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.errors import Unavailable

Store: TypeAlias = Any  # Any: obstore types each kind of store apart; all take the same calls
Decide: TypeAlias = Callable[[int, Head | None], Head | None]
"""From the present number and head to the next head; ``None`` writes nothing. It raises when it must not be."""

_ATTEMPTS = 64
_LOOKED_SECONDS = 60.0
_CHUNK = 1000
_READS = 16


@dataclass(frozen=True, slots=True)
class Listed:
    """The numbers of one name, the present one last, and when each was made."""

    space: Space
    name: str
    numbers: tuple[int, ...]
    times: tuple[datetime, ...]


class Heads:
    """Reads and writes heads in a bucket."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading = asyncio.Semaphore(_READS)

    async def present(self, space: Space, key: str) -> tuple[int, Head | None]:
        """The present number of a key and its head (``None``: nothing is stored)."""
        number, head = await self._last(space, layout.name_of(key))
        return number, None if head is None or head.gone else head

    async def _last(self, space: Space, name: str) -> tuple[int, Head | None]:
        found = [listed async for listed in self.listed(f"{layout.folder(space)}/{name}", None)]
        if not found:
            return 0, None
        number = found[-1].numbers[-1]
        return number, await self.read(space, name, number)

    async def read(self, space: Space, name: str, number: int) -> Head:
        """The head of a number."""
        path = layout.head_path(space, name, number)
        async with self._reading:
            with translated():
                try:
                    text = await (await obstore.get_async(self._store, path)).bytes_async()
                except FileNotFoundError:
                    raise Unavailable(f"object {path!r} went away while it was read", retry_after=0.1) from None
        return layout.head_of(bytes(text), path)

    async def decided(self, space: Space, key: str, decide: Decide) -> tuple[int, Head | None]:
        """Write what is decided about the present head, and decide again when somebody was faster.

        Raises:
            Unavailable: others were faster every time.
        """
        name = layout.name_of(key)
        for attempt in range(_ATTEMPTS):
            looked = time.monotonic()
            number, head = await self._last(space, name)
            made = decide(number, None if head is None or head.gone else head)
            if made is None:
                return number, None
            if time.monotonic() - looked < _LOOKED_SECONDS and await self._take(space, name, number + 1, made):
                return number + 1, made
            await asyncio.sleep(random.uniform(0, 0.01 * min(attempt, 10)))  # noqa: S311 - jitter, no secret
        raise Unavailable(f"others write to {key[:80]!r} too fast")

    async def _take(self, space: Space, name: str, number: int, head: Head) -> bool:
        path, text = layout.head_path(space, name, number), layout.encode(head)
        with translated():
            try:
                await obstore.put_async(self._store, path, text, mode="create", use_multipart=False)
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                # The client repeats a put whose answer was lost; then it meets itself.
                return await self._is(path, text)
        return True

    async def _is(self, path: str, text: bytes) -> bool:
        try:
            return bytes(await (await obstore.get_async(self._store, path)).bytes_async()) == text
        except FileNotFoundError:
            return False

    async def listed(self, prefix: str, offset: str | None) -> AsyncIterator[Listed]:
        """Names below a folder in their order, behind ``offset``."""
        name: tuple[Space, str] | None = None
        numbers: list[int] = []
        times: list[datetime] = []
        async for path, made in self._objects(prefix, offset):
            _, tenant, namespace, text, number = path.rsplit("/", 4)
            if name != (Space(tenant, namespace), text):
                if name is not None:
                    yield Listed(*name, tuple(numbers), tuple(times))
                name, numbers, times = (Space(tenant, namespace), text), [], []
            numbers.append(int(number))
            times.append(made)
        if name is not None:
            yield Listed(*name, tuple(numbers), tuple(times))

    async def _objects(self, prefix: str, offset: str | None) -> AsyncIterator[tuple[str, datetime]]:
        with translated():
            async for chunk in obstore.list(self._store, prefix, offset=offset, chunk_size=_CHUNK):
                for item in chunk:
                    yield "/" + item["path"], item["last_modified"]
