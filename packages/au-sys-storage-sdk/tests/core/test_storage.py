"""The way in: what it refuses before any effect."""

import pytest

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import InvalidInput, Unsupported


class Plain(MemoryDocuments):
    """A backend that can do little."""

    features = frozenset({Feature.CAS})


async def test_a_missing_feature_is_named_before_any_effect() -> None:
    """Time to live, scan, transaction and watch are refused by a backend without them."""
    async with Storage(Plain()) as storage:
        space = storage.namespace("n")
        with pytest.raises(Unsupported, match="TTL"):
            await space.put("k", 1, ttl=1)
        with pytest.raises(Unsupported, match="SCAN"):
            await space.scan()
        with pytest.raises(Unsupported, match="TXN"):
            storage.transaction()
        with pytest.raises(Unsupported, match="WATCH"):
            space.watch()
        with pytest.raises(Unsupported, match="blobs"):
            storage.blobs("n")
        assert await space.get("k") is None


async def test_blobs_beside_documents_share_the_tenant() -> None:
    """A namespace of blobs belongs to the storage's tenant."""
    async with open_storage("memory:", "memory:") as storage:
        await storage.for_tenant("t").blobs("files").write("k", b"x")
        assert await storage.blobs("files").head("k") is None


@pytest.mark.parametrize("url", ["", "nope://x", "sqlite://", "sqlite://host/path", "mysql://user:secret@host/db"])
async def test_a_url_of_no_backend_is_refused_without_its_password(url: str) -> None:
    """The error names the schemes that exist and no secret."""
    with pytest.raises(InvalidInput, match=r"^url: ") as raised:
        await open_storage(url).__aenter__()
    assert "secret" not in str(raised.value)
