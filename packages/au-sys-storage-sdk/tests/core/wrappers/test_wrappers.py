"""Each wrapper around memory passes the conformance suite of documents."""

from collections.abc import AsyncIterator

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.wrappers.bounded import Bounded
from au_sys_storage_sdk.core.wrappers.cached import Cached
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.core.wrappers.instrumented import Instrumented
from au_sys_storage_sdk.core.wrappers.keys import KeyRing
from au_sys_storage_sdk.core.wrappers.retrying import Retrying
from au_sys_storage_sdk.core.wrappers.scoped import Scoped


def wrapped(name: str, inner: DocumentStore, clock: Ticking) -> DocumentStore:
    """A store in the wrapper of that name."""
    if name == "bounded":
        return Bounded(inner)
    if name == "cached":
        return Cached(inner, clock=clock)
    if name == "instrumented":
        return Instrumented(inner, lambda call, seconds, ended: None)
    if name == "retrying":
        return Retrying(inner)
    return Scoped(inner, ["*"])


@pytest.mark.parametrize("name", ["bounded", "cached", "instrumented", "retrying", "scoped"])
class TestWrapped(DocumentStoreConformance):
    """The suite, once for each wrapper."""

    @pytest.fixture
    async def storage(self, clock: Ticking, name: str) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(wrapped(name, MemoryDocuments(clock=clock), clock)) as opened:
            yield opened


class TestEncrypted(DocumentStoreConformance):
    """The suite with sealed values; sizes in the usage are those of what is stored."""

    @pytest.fixture
    async def storage(self, clock: Ticking) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(Encrypted(MemoryDocuments(clock=clock), KeyRing({1: b"k" * 32}))) as opened:
            yield opened

    async def test_namespaces_and_tenants_are_apart(self, storage: Storage) -> None:
        """The same key elsewhere is another document; a sealed value is 28 bytes longer."""
        await storage.namespace("one").put("k", 1)
        assert await storage.namespace("two").get("k") is None
        assert await storage.for_tenant("other").namespace("one").get("k") is None
        assert [(used.namespace, used.size) for used in await storage.usage()] == [("one", 29)]
