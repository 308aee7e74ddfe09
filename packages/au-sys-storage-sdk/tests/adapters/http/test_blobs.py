"""Blobs on another platform, over real HTTP: conformance, and connections that break off in the middle."""

import hashlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.served_storage import Served, served_platform

from au_sys_storage_sdk import ABSENT, Blobs, Conflict
from au_sys_storage_sdk.adapters.http import uploads
from au_sys_storage_sdk.adapters.http.blobs import HttpBlobs
from au_sys_storage_sdk.adapters.http.wire import Call, Wire
from au_sys_storage_sdk.conformance.blobs import BlobStoreConformance, content_of, stream
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.core.errors import Corrupt, Unsupported

CONTENT = content_of(1_000_003)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server of this module."""
    with served_platform(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture
async def blobs(served: Served) -> AsyncIterator[Blobs]:
    """An empty store behind the server."""
    served.fresh(Ticking())
    async with Blobs(HttpBlobs(Wire(served.url, api_key="ada"))) as opened:
        yield opened


class TestHttpBlobs(BlobStoreConformance):
    """The conformance suite against a platform."""

    async def test_namespaces_and_tenants_are_apart(self, blobs: Blobs) -> None:
        """The same key in another namespace is another blob; another tenant cannot be asked for at all."""
        await blobs.scoped("one").write("k", b"1")
        assert await blobs.scoped("two").head("k") is None
        with pytest.raises(Unsupported):
            await blobs.scoped("one", tenant="other").head("k")
        assert [(used.namespace, used.count, used.size) for used in await blobs.usage()] == [("one", 1, 1)]


class Breaking(httpx.AsyncHTTPTransport):
    """The network: it loses the answer to every n-th request, and cuts every n-th download in the middle."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = every
        self.requests = 0
        self.lost = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry the request; now and then lose what comes back."""
        self.requests += 1
        response = await super().handle_async_request(request)
        if self.requests % self._every:
            return response
        self.lost += 1
        if request.method == "GET":
            return httpx.Response(response.status_code, headers=response.headers, stream=Cut(response.stream))
        await response.aclose()
        raise httpx.ReadError("the connection is gone", request=request)


class Cut(httpx.AsyncByteStream):
    """The first piece of a body, and then nothing."""

    def __init__(self, whole: object) -> None:
        assert isinstance(whole, httpx.AsyncByteStream)
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._whole:
            yield piece[: len(piece) // 2 + 1]
            break
        raise httpx.ReadError("the connection is gone")

    async def aclose(self) -> None:
        """Close the body."""
        await self._whole.aclose()


async def at_once(seconds: float) -> None:
    """No pause between tries."""


@pytest.fixture
async def shaky(served: Served, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Blobs, Breaking]]:
    """The same over a network that loses every third answer, in parts of 100 kB."""
    served.fresh(Ticking())
    monkeypatch.setattr("au_sys_storage_sdk.adapters.http.blobs.PART", 100_000)
    wire, network = Wire(served.url, api_key="ada", sleep=at_once), Breaking(3)
    await wire._client.aclose()
    wire._client = httpx.AsyncClient(base_url=served.url, headers={"X-API-Key": "ada"}, transport=network)
    async with Blobs(HttpBlobs(wire)) as opened:
        yield opened, network


async def test_an_upload_survives_lost_answers(shaky: tuple[Blobs, Breaking]) -> None:
    """Parts whose answers were lost are not sent twice into the blob, and a download goes on where it was cut."""
    blobs, network = shaky
    info = await blobs.write("k", stream(CONTENT), if_match=ABSENT)
    assert (len(CONTENT), hashlib.sha256(CONTENT).hexdigest()) == (info.size, info.sha256)
    for _ in range(3):
        assert await blobs.read_bytes("k") == CONTENT
    assert CONTENT[5:700_000] == b"".join([piece async for piece in blobs.read("k", 5, 700_000)])
    assert network.lost > 3


async def test_a_condition_is_kept_over_a_shaky_network(shaky: tuple[Blobs, Breaking]) -> None:
    """A creation whose answer was lost does not conflict with itself; a second creation does."""
    blobs, _ = shaky
    for number in range(4):
        await blobs.write(str(number), b"small", if_match=ABSENT)
        with pytest.raises(Conflict):
            await blobs.write(str(number), b"other", if_match=ABSENT)


async def test_an_upload_that_fails_is_given_up(served: Served, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has arrived of a stream that raises is deleted on the server."""
    monkeypatch.setattr("au_sys_storage_sdk.adapters.http.blobs.PART", 1000)

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield bytes(1000)
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        await blobs.write("k", broken())
    assert await served.blobs.usage() == []


async def test_wrong_bytes_are_never_handed_on_whole(served: Served, blobs: Blobs) -> None:
    """A server that sends other bytes than were written is found out before the last piece."""
    await blobs.write("k", CONTENT)
    ((where, held),) = served.blobs._spaces.items()
    info, content = held["k"]
    held["k"] = (info, content[:-1] + b"!")
    received: list[bytes] = []

    async def receive() -> None:
        async for piece in blobs.read("k"):
            received.append(piece)

    with pytest.raises(Corrupt):
        await receive()
    assert sum(map(len, received)) < len(CONTENT), where


async def test_parts_are_cut_exactly() -> None:
    """All parts but the last are of the same size; nothing is one empty part."""
    for size, expected in ((0, [0]), (1, [1]), (10, [10]), (11, [10, 1]), (20, [10, 10])):
        assert expected == [len(part) async for part in uploads.in_parts(stream(bytes(size), 3), 10)]


def test_a_call_shows_no_body() -> None:
    """What is sent is not in a log by accident."""
    assert "secret" not in repr(Call("PUT", "/x", content=b"secret"))
