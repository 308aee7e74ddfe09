"""Rules of blobs that hold over every backend."""

import pytest

from au_sys_storage_sdk import Blobs, NotFound, open_blobs
from au_sys_storage_sdk.adapters.memory.blobs import MemoryBlobs
from au_sys_storage_sdk.core.errors import InvalidInput, TooLarge


@pytest.mark.parametrize("content_type", ["", "text", "text/", "a/b\r\nX: y", "text/html; charset=utf-8; x=y", "ä/b"])
async def test_a_media_type_cannot_carry_anything_else(content_type: str) -> None:
    """Header injection and nonsense are refused."""
    with pytest.raises(InvalidInput, match=r"^content_type: "):
        await open_blobs("memory:").write("k", b"", content_type=content_type)


async def test_info_of_nothing_is_not_found() -> None:
    """Where head answers None, info raises."""
    with pytest.raises(NotFound):
        await open_blobs("memory:").info("k")


async def test_memory_is_bounded() -> None:
    """A stream beyond the bound is refused while it comes in."""
    with pytest.raises(TooLarge):
        await Blobs(MemoryBlobs(max_size=10)).write("k", b"x" * 11)
