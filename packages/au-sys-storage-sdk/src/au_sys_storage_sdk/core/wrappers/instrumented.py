"""Tell somebody how long each call took and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

Observer: TypeAlias = Callable[[str, float, str], None]
"""Told of every call: its name, seconds, and ``ok`` or the name of the error."""


class Instrumented(Forwarding):
    """Calls the observer after each read and write; it must be quick and not raise."""

    def __init__(self, inner: DocumentStore, observer: Observer) -> None:
        super().__init__(inner)
        self._observer = observer

    @contextmanager
    def _timed(self, call: str) -> Iterator[None]:
        begun = time.perf_counter()
        ended = "ok"
        try:
            yield
        except BaseException as error:
            ended = type(error).__name__
            raise
        finally:
            self._observer(call, time.perf_counter() - begun, ended)

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        with self._timed("get"):
            return await self.inner.get(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        with self._timed("head"):
            return await self.inner.head(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        with self._timed("commit"):
            return await self.inner.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        with self._timed("scan"):
            return await self.inner.scan(space, prefix, after, limit, max_bytes, keys_only)
