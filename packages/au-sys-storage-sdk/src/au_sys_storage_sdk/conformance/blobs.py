"""What any blob backend must do. Subclass :class:`BlobStoreConformance` and define the fixture ``blobs``."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from au_sys_storage_sdk.conformance.keys import HOSTILE_KEYS, ILLEGAL_KEYS
from au_sys_storage_sdk.core.blobs.models import BLOCK, INLINE
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, OutsideRange, Unsupported
from au_sys_storage_sdk.core.preconditions import ABSENT

SIZES = (0, 1, INLINE, INLINE + 1, BLOCK, 2 * BLOCK + 17)


def content_of(size: int) -> bytes:
    """Bytes that differ from block to block."""
    return b"".join(hashlib.sha256(number.to_bytes(8)).digest() for number in range(-(-size // 32)))[:size]


async def stream(content: bytes, piece: int = 70_001) -> AsyncIterator[bytes]:
    """The content in uneven pieces."""
    for start in range(0, len(content), piece):
        yield content[start : start + piece]


class BlobStoreConformance:
    """The tests. ``blobs`` is an empty store's :class:`Blobs`."""

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_stream_comes_back_as_it_went_in(self, blobs: Blobs, size: int) -> None:
        """Size and digest are those of the bytes, whatever the size."""
        content = content_of(size)
        info = await blobs.write("k", stream(content), content_type="text/plain")
        assert (size, hashlib.sha256(content).hexdigest(), "text/plain") == (info.size, info.sha256, info.content_type)
        assert content == await blobs.read_bytes("k")
        assert info == await blobs.head("k")

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0, 10), (5, INLINE), (BLOCK - 1, BLOCK + 1), (BLOCK, None), (2 * BLOCK + 16, 99 * BLOCK), (7, 7)],
    )
    async def test_a_range_is_a_slice(self, blobs: Blobs, start: int, end: int | None) -> None:
        """The end is exclusive and may lie behind the last byte."""
        content = content_of(2 * BLOCK + 17)
        await blobs.write("k", content)
        assert content[start:end] == b"".join([piece async for piece in blobs.read("k", start, end)])

    async def test_a_range_behind_the_end_is_refused(self, blobs: Blobs) -> None:
        """A first byte that does not exist is an error that names the range."""
        await blobs.write("k", b"abc")
        with pytest.raises(OutsideRange, match="range"):
            await anext(aiter(blobs.read("k", 3)))

    async def test_nothing_is_found_where_nothing_was_stored(self, blobs: Blobs) -> None:
        """Head answers None, reading and copying raise, deleting answers False."""
        assert await blobs.head("k") is None
        assert await blobs.delete("k") is False
        with pytest.raises(NotFound):
            await blobs.read_bytes("k")
        with pytest.raises(NotFound):
            await blobs.copy("k", "l")

    async def test_conditions_are_kept(self, blobs: Blobs) -> None:
        """ABSENT creates once; a version must be the current one; a refused write changes nothing."""
        first = await blobs.write("k", b"1", if_match=ABSENT)
        with pytest.raises(Conflict) as raised:
            await blobs.write("k", b"2", if_match=ABSENT)
        assert (None, first.version) == (raised.value.expected, raised.value.actual)
        second = await blobs.write("k", b"2", if_match=first.version)
        assert second.version > first.version
        with pytest.raises(Conflict):
            await blobs.write("k", b"3", if_match=first.version)
        with pytest.raises(Conflict):
            await blobs.delete("k", if_match=first.version)
        assert await blobs.read_bytes("k") == b"2"
        assert await blobs.delete("k", if_match=second.version) is True

    async def test_a_version_is_never_used_again(self, blobs: Blobs) -> None:
        """What is created anew cannot be mistaken for its predecessor."""
        before = await blobs.write("k", b"1")
        await blobs.delete("k")
        after = await blobs.write("k", b"1")
        assert after.version > before.version

    async def test_one_of_many_racing_creators_wins(self, blobs: Blobs) -> None:
        """With ABSENT exactly one of sixteen concurrent writers succeeds."""
        writes = [blobs.write("k", bytes([number]) * 10, if_match=ABSENT) for number in range(16)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert [Conflict] * 15 == [type(result) for result in results if isinstance(result, BaseException)]

    async def test_a_broken_stream_stores_nothing(self, blobs: Blobs) -> None:
        """The old content stays when the new stream raises."""

        async def broken() -> AsyncIterator[bytes]:
            yield content_of(BLOCK)
            raise ConnectionError("the sender went away")

        await blobs.write("k", b"old")
        with pytest.raises(ConnectionError):
            await blobs.write("k", broken())
        assert await blobs.read_bytes("k") == b"old"

    async def test_a_writer_stores_what_it_was_given(self, blobs: Blobs) -> None:
        """Bit by bit, whole at the end of the block, under its condition."""
        content = content_of(BLOCK + 5)
        async with blobs.writer("k", if_match=ABSENT, content_type="text/plain") as writer:
            async for piece in stream(content):
                await writer.write(piece)
        assert await blobs.head("k") == writer.info
        assert await blobs.read_bytes("k") == content
        again = blobs.writer("k", if_match=ABSENT)
        await again.__aenter__()
        with pytest.raises(Conflict):
            await again.__aexit__(None, None, None)

    async def test_a_writer_that_fails_stores_nothing(self, blobs: Blobs) -> None:
        """The error of the block passes; the old content stays."""
        await blobs.write("k", b"old")
        writer = blobs.writer("k")
        await writer.__aenter__()
        await writer.write(content_of(INLINE + 1))
        await writer.__aexit__(RuntimeError, RuntimeError(), None)
        assert await blobs.read_bytes("k") == b"old"

    async def test_addresses_are_given_where_they_are_declared(self, blobs: Blobs) -> None:
        """Without PRESIGN the call is refused before any effect."""
        await blobs.write("k", content_of(INLINE + 1))
        if Feature.PRESIGN in blobs.features:
            assert (await blobs.presign("k")).startswith("http")
        else:
            with pytest.raises(Unsupported):
                await blobs.presign("k")

    async def test_equal_content_under_two_keys_lives_until_both_are_gone(self, blobs: Blobs) -> None:
        """Deleting one of two equal blobs, and sweeping, leaves the other whole."""
        content = content_of(INLINE * 2)
        await blobs.write("a", content)
        await blobs.write("b", content)
        await blobs.delete("a")
        await blobs.sweep()
        assert content == await blobs.read_bytes("b")

    async def test_a_copy_is_independent(self, blobs: Blobs) -> None:
        """The copy keeps content and type when the source is replaced and removed."""
        content = content_of(INLINE * 3)
        await blobs.write("a", content, content_type="text/csv")
        copied = await blobs.copy("a", "x", to=blobs.scoped("elsewhere"), if_match=ABSENT)
        await blobs.write("a", b"other")
        await blobs.delete("a")
        await blobs.sweep()
        assert (len(content), "text/csv") == (copied.size, copied.content_type)
        assert content == await blobs.scoped("elsewhere").read_bytes("x")

    async def test_listing_is_in_key_order_and_pages(self, blobs: Blobs) -> None:
        """Pages join to the whole; the prefix cuts; the cursor survives a deletion."""
        keys = sorted(["a", "b/1", "b/2", "b/3", "b\uffff", "c", "é", "\U0001f512"])
        for key in keys:
            await blobs.write(key, key.encode())
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = await blobs.list(after=after, limit=3)
            found += [item.key for item in page.items]
            after = page.after
        assert keys == found
        assert [item.key for item in (await blobs.list("b/")).items] == ["b/1", "b/2", "b/3"]
        await blobs.delete("b/1")
        assert [item.key for item in (await blobs.list("b/", after="b/1", limit=1)).items] == ["b/2"]

    async def test_namespaces_and_tenants_are_apart(self, blobs: Blobs) -> None:
        """The same key in another namespace or tenant is another blob."""
        await blobs.scoped("one").write("k", b"1")
        assert await blobs.scoped("two").head("k") is None
        assert await blobs.scoped("one", tenant="other").head("k") is None
        assert [(used.tenant, used.namespace, used.count, used.size) for used in await blobs.usage()] == [
            ("default", "one", 1, 1)
        ]

    @pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
    async def test_hostile_keys_are_only_names(self, blobs: Blobs, key: str) -> None:
        """Traversal, drive letters and delimiters mean nothing."""
        content = content_of(INLINE + 1)
        await blobs.write(key, content)
        assert content == await blobs.read_bytes(key)
        assert [key] == [item.key for item in (await blobs.list()).items]
        assert await blobs.delete(key) is True

    @pytest.mark.parametrize("key", ILLEGAL_KEYS, ids=range(len(ILLEGAL_KEYS)))
    async def test_illegal_keys_are_refused(self, blobs: Blobs, key: str) -> None:
        """The error names the field and the rule before anything is touched."""
        with pytest.raises(InvalidInput, match=r"^key: "):
            await blobs.write(key, b"x")

    async def test_a_reader_finishes_although_the_blob_is_replaced(self, blobs: Blobs) -> None:
        """Whoever has begun to read gets the bytes of that moment to the end."""
        content = content_of(3 * BLOCK)
        await blobs.write("k", content)
        reader = aiter(blobs.read("k"))
        received = await anext(reader)
        await blobs.write("k", b"new")
        await blobs.sweep()
        async for piece in reader:
            received += piece
        assert content == received
