"""The live switches of every part: which one an operation belongs to, and that no two parts share a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from au_sys_storage_sdk.core.errors import InvalidInput, NotFound
from au_sys_storage_sdk.core.switching.divided import MAIN
from au_sys_storage_sdk.core.switching.models import Progress
from au_sys_storage_sdk.core.switching.switchable import Switchable


class Switches:
    """The switchable stores by part. ``own``: the name under which each part has a backend of its own."""

    def __init__(self, stores: Mapping[str, Switchable], own: str) -> None:
        self._stores = dict(stores)
        self._own = own

    def __iter__(self) -> Iterator[tuple[str, Switchable]]:
        return iter(self._stores.items())

    def of(self, part: str) -> Switchable:
        """The store of a part. Raises ``InvalidInput`` for one that there is not."""
        if part not in self._stores:
            known = ", ".join(sorted(name for name in self._stores if name)) or "none"
            raise InvalidInput("part", f"{part[:80]!r} is not configured", f"use one of STORAGE_PARTS ({known})")
        return self._stores[part]

    def doing(self, operation: str) -> tuple[str, Switchable]:
        """The part that an operation is, or was the last, of. Raises ``NotFound``."""
        for part, store in self._stores.items():
            if operation and operation in {store.entry.operation, store.progress and store.progress.operation}:
                return part, store
        raise NotFound("switch", operation)

    async def check(self, part: str, backend: str) -> None:
        """Raise what :meth:`switch` would raise, without beginning."""
        self._require_free(part, backend)
        await self.of(part).check(backend)

    async def switch(self, part: str, backend: str, *, rate: float | None = None) -> Progress:
        """Begin to move the namespaces of a part. Raises as :meth:`Switchable.switch`."""
        self._require_free(part, backend)
        return await self.of(part).switch(backend, rate=rate)

    def _require_free(self, part: str, backend: str) -> None:
        for other, store in self._stores.items():
            entry = store.entry
            used = {entry.active, entry.previous, "" if entry.phase.ended else entry.target}
            if other != part and backend != self._own and backend in used:
                holder = f"part {other!r}" if other != MAIN else "every other namespace"
                raise InvalidInput("switch", f"{backend!r} holds {holder}", "name a backend that holds nothing else")
