"""Blobs in a bucket of a real S3 server: conformance, races, what is left behind, damage, addresses."""

import asyncio
import hashlib
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest

from au_sys_identity.conformance.slapd import make_certificates
from au_sys_storage_sdk import ABSENT, Blobs, Conflict, NotFound, Unavailable, open_blobs
from au_sys_storage_sdk.adapters.objects.blobs import ObjectBlobs
from au_sys_storage_sdk.adapters.objects.opening import object_blobs
from au_sys_storage_sdk.conformance.blobs import BlobStoreConformance, content_of, stream
from au_sys_storage_sdk.core.blobs.models import BLOCK, INLINE
from au_sys_storage_sdk.core.errors import AccessDenied, Corrupt, InvalidInput, Unsupported


@pytest.fixture
def url(endpoint: str) -> str:
    """A folder of its own in the bucket."""
    return f"s3://bucket/{secrets.token_hex(8)}?endpoint={endpoint}&region=us-east-1"


@pytest.fixture
async def blobs(url: str) -> AsyncIterator[Blobs]:
    """An empty store."""
    async with open_blobs(url) as opened:
        yield opened


class TestObjectBlobs(BlobStoreConformance):
    """The conformance suite over HTTP."""


async def objects(blobs: Blobs) -> list[str]:
    """What lies in the bucket."""
    store = blobs._store
    assert isinstance(store, ObjectBlobs)
    return sorted(item["path"] for item in await obstore.list(store._store).collect_async())


async def test_what_was_replaced_is_swept_after_its_time(url: str, blobs: Blobs) -> None:
    """Old entries and their data stay for whoever reads them, then they go; the present state stays."""
    for number in range(3):
        await blobs.write("k", content_of(INLINE + number + 1))
    assert await blobs.sweep() == 0
    eager = Blobs(ObjectBlobs(object_blobs(url)._store, superseded=timedelta(seconds=-5)))
    assert await eager.sweep() == 2
    assert [path.partition("/")[0] for path in await objects(blobs)] == ["data", "heads"]
    assert await blobs.read_bytes("k") == content_of(INLINE + 3)


async def test_a_refused_write_leaves_no_bytes(blobs: Blobs) -> None:
    """The loser of a race removes what it had sent."""
    writes = [blobs.write("k", content_of(INLINE + 1), if_match=ABSENT) for _ in range(4)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert [path.partition("/")[0] for path in await objects(blobs)] == ["data", "heads"]


async def test_racing_writers_without_a_condition_all_succeed(blobs: Blobs) -> None:
    """Each takes a number of its own, and the last one is what is stored."""
    infos = await asyncio.gather(*(blobs.write("k", str(number).encode()) for number in range(6)))
    assert sorted(info.version for info in infos) == list(range(1, 7))
    last = max(infos, key=lambda info: info.version)
    assert (await blobs.info("k")).sha256 == last.sha256


async def test_long_keys_are_listed_in_order(blobs: Blobs) -> None:
    """Also where only a digest tells names apart, with pages that end among them."""
    stem = "k" * 280
    keys = sorted([stem, *(stem + end for end in ("a", "b/1", "b/2", "ö" * 100, "z")), "k" * 279 + "l", "j"])
    for key in keys:
        await blobs.write(key, b"x")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await blobs.list(after=after, limit=2)
        found += [item.key for item in page.items]
        after = page.after
    assert keys == found
    assert [item.key for item in (await blobs.list(stem + "b")).items] == [stem + "b/1", stem + "b/2"]


async def test_damage_is_found_before_it_is_handed_on(blobs: Blobs) -> None:
    """Changed, cut and missing bytes, and an entry that is none, are Corrupt."""
    content = content_of(2 * BLOCK)
    await blobs.write("k", content)
    store = blobs._store
    assert isinstance(store, ObjectBlobs)
    data, head = await objects(blobs)
    for bent in (content[:-1] + b"!", content[:BLOCK], b""):
        await obstore.put_async(store._store, data, bent)
        with pytest.raises(Corrupt):
            await blobs.read_bytes("k")
    await obstore.delete_async(store._store, data)
    with pytest.raises(Corrupt, match="missing"):
        await blobs.read_bytes("k")
    await obstore.put_async(store._store, head, b"nonsense")
    with pytest.raises(Corrupt):
        await blobs.head("k")


async def test_an_address_lets_read_for_a_while(blobs: Blobs) -> None:
    """Whoever has it gets the bytes without a key; small blobs and absent ones have none."""
    content = content_of(INLINE + 1)
    await blobs.write("k", content)
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(await blobs.presign("k", seconds=60))).content == content
    await blobs.write("small", b"x")
    with pytest.raises(Unsupported):
        await blobs.presign("small")
    with pytest.raises(NotFound):
        await blobs.presign("none")
    with pytest.raises(InvalidInput, match=r"^seconds: "):
        await blobs.presign("k", seconds=0)


async def test_a_large_blob_goes_in_parts(blobs: Blobs) -> None:
    """More than two parts, without being whole in memory anywhere here."""
    content = content_of(BLOCK) * 20
    info = await blobs.write("k", stream(content, 1_000_003))
    assert hashlib.sha256(content).hexdigest() == info.sha256
    digest = hashlib.sha256()
    async for piece in blobs.read("k"):
        assert len(piece) <= BLOCK
        digest.update(piece)
    assert digest.hexdigest() == info.sha256


async def test_a_wrong_key_is_refused_by_name(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error shows no secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    async with open_blobs(url) as blobs:
        with pytest.raises(AccessDenied) as raised:
            await blobs.head("k")
    assert "not-the-secret" not in str(raised.value)


async def test_no_server_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: Unavailable."""
    monkeypatch.setattr("au_sys_storage_sdk.adapters.objects.opening._TIMEOUT", timedelta(milliseconds=200))
    async with open_blobs("s3://bucket/x?endpoint=http://127.0.0.1:1&region=us-east-1") as blobs:
        with pytest.raises(Unavailable):
            await blobs.head("k")


@pytest.mark.parametrize(
    "url", ["s3://", "s3://key:secret@bucket", "s3://bucket?secret=x", "s3://bucket?endpoint=http://storage.example"]
)
def test_senseless_addresses_are_refused(url: str) -> None:
    """No bucket, credentials in the URL, unknown options, plain HTTP to another machine."""
    with pytest.raises(InvalidInput, match=r"^url: ") as raised:
        open_blobs(url)
    assert "secret@" not in str(raised.value)


async def test_without_create_once_there_are_no_conditions(url: str) -> None:
    """A store that is said not to decide in one step takes plain writes and refuses conditions before any effect."""
    async with open_blobs(url + "&conditional=no") as blobs:
        info = await blobs.write("k", b"1")
        with pytest.raises(Unsupported):
            await blobs.write("k", b"2", if_match=info.version)
        assert await blobs.read_bytes("k") == b"1"


@asynccontextmanager
async def behind_tls(endpoint: str, folder: Path) -> AsyncIterator[str]:
    """The same server behind TLS, with a certificate of the authority in the folder."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    port, passing = int(endpoint.rpartition(":")[2]), set[asyncio.Task[None]]()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # one side went away
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, inner_writer), (inner_reader, writer)):
            passing.add(asyncio.ensure_future(pump(*pair)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def test_a_private_authority_is_trusted_when_its_certificate_is_given(endpoint: str, tmp_path: Path) -> None:
    """With its file blobs go both ways; without it, or with a file that is none, nothing does."""
    make_certificates(tmp_path)
    async with behind_tls(endpoint, tmp_path) as safe:
        url = f"s3://bucket/{secrets.token_hex(8)}?endpoint={safe}&region=us-east-1"
        async with open_blobs(url, ca_file=tmp_path / "ca.pem") as blobs:
            await blobs.write("k", content_of(INLINE + 1))
            assert await blobs.read_bytes("k") == content_of(INLINE + 1)
        with pytest.raises(Unavailable):
            await open_blobs(url).head("k")
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match="STORAGE_CA_FILE"):
        open_blobs(url, ca_file=tmp_path / "none.pem")
