"""A call that needs what the backend does not declare is refused before any effect."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from au_sys_storage_sdk import ABSENT, Storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.errors import Unsupported
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding


class Poor(Forwarding):
    """A backend that can do nothing but get, put and delete."""

    @property
    def features(self) -> frozenset[Feature]:
        """Nothing."""
        return frozenset()


CALLS: dict[str, Callable[[Namespace[Any]], Awaitable[object]]] = {  # Any: plain values
    "create": lambda space: space.put("k", 1, if_match=ABSENT),
    "put": lambda space: space.put("k", 1, if_match=1),
    "delete": lambda space: space.delete("k", if_match=1),
    "ttl": lambda space: space.put("k", 1, ttl=1),
    "take": lambda space: space.take("k"),
    "patch": lambda space: space.patch("k", {"a": 1}),
    "scan": lambda space: space.scan(),
    "keys": lambda space: space.keys(),
    "count": lambda space: space.count(),
}


@pytest.mark.parametrize("call", CALLS)
async def test_what_is_not_declared_is_refused(call: str) -> None:
    """The error names backend and capability, and the document is as it was."""
    async with Storage(Poor(MemoryDocuments())) as storage:
        space = storage.namespace("things")
        version = await space.put("k", {"a": 0})
        with pytest.raises(Unsupported, match="'memory' does not offer"):
            await CALLS[call](space)
        found = await space.get("k")
        assert found is not None
        assert (version, {"a": 0}) == (found.version, found.value)
        with pytest.raises(Unsupported):
            storage.transaction()
        with pytest.raises(Unsupported):
            space.watch()
