"""Documents on another platform, over real HTTP: conformance, refusals, lost answers, the feed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from tests.served_storage import Served, served_platform

from au_sys_storage_sdk import ABSENT, Storage, Unavailable, open_storage
from au_sys_storage_sdk.adapters.http.documents import HttpDocuments
from au_sys_storage_sdk.adapters.http.wire import Wire
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.errors import AccessDenied, InvalidInput, OutOfReach, Unsupported
from au_sys_storage_sdk.core.wrappers.bounded import Bounded
from au_sys_storage_sdk.core.wrappers.cached import Cached
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding
from au_sys_storage_sdk.core.wrappers.retrying import Retrying


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server of this module."""
    with served_platform(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture
def clock() -> Ticking:
    """The clock of the server."""
    return Ticking()


class Operated(HttpDocuments):
    """The remote backend, with an operator at the server for what the API leaves to it."""

    def __init__(self, served: Served) -> None:
        super().__init__(Wire(served.url, api_key="ada"))
        self._served = served

    async def sweep(self) -> int:
        """What the server does every half minute."""
        return await self._served.on_server(self._served.documents.sweep())

    async def compact(self, keep: int) -> int:
        """What the server does every hour."""
        return await self._served.on_server(self._served.documents.compact(keep))


class TestHttpDocuments(DocumentStoreConformance):
    """The conformance suite against a platform."""

    @pytest.fixture
    async def storage(self, clock: Ticking, served: Served) -> AsyncIterator[Storage]:
        """An empty store."""
        served.fresh(clock)
        async with Storage(Operated(served)) as opened:
            yield opened

    async def test_namespaces_and_tenants_are_apart(self, storage: Storage) -> None:
        """The same key elsewhere is another document; another tenant cannot be asked for at all."""
        await storage.namespace("one").put("k", 1)
        assert await storage.namespace("two").get("k") is None
        with pytest.raises(Unsupported):
            await storage.for_tenant("other").namespace("one").get("k")
        assert [(used.tenant, used.namespace, used.count, used.size) for used in await storage.usage()] == [
            ("default", "one", 1, 1)
        ]


class Losing(httpx.AsyncHTTPTransport):
    """The network: it loses the answer to every third request, after the server has carried it out."""

    requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry the request; now and then lose what comes back."""
        self.requests += 1
        response = await super().handle_async_request(request)
        if self.requests % 3 == 1:
            await response.aread()
            await response.aclose()
            raise httpx.ReadError("the connection is gone", request=request)
        return response


async def at_once(seconds: float) -> None:
    """No pause between tries."""


async def test_a_lost_answer_counts_nothing_twice(served: Served, clock: Ticking) -> None:
    """Increments and creations whose answers were lost are repeated, carried out once, and do not conflict."""
    served.fresh(clock)
    wire = Wire(served.url, api_key="ada", sleep=at_once)
    await wire.close()
    wire._client = httpx.AsyncClient(base_url=served.url, headers={"X-API-Key": "ada"}, transport=Losing())
    async with Storage(HttpDocuments(wire)) as storage:
        space = storage.namespace("things")
        for number in range(1, 6):
            async with storage.transaction() as steps:
                total = steps.increment(space, "counter")
            assert number == total.value
            await space.put(str(number), number, if_match=ABSENT)
        assert await space.count() == 6


async def test_a_feed_goes_on_over_a_new_connection(served: Served, clock: Ticking) -> None:
    """A watcher whose connection the server closes sees every change once."""
    served.fresh(clock)
    async with open_storage(served.url, api_key="ada") as storage:
        space = storage.namespace("things")
        versions = [await space.put("a", 1)]
        feed = space.watch()
        seen = [(await anext(feed)).seq]
        await served.on_server(closed(served))
        versions += [await space.put("b", 1), await space.put("c", 1)]
        seen += [(await anext(feed)).seq, (await anext(feed)).seq]
        assert versions == seen


async def closed(served: Served) -> None:
    """Let every follower on the server go, as at a restart, and take new ones."""
    inner = served.documents.inner
    assert isinstance(inner, MemoryDocuments)
    inner._arrival.close()
    inner._arrival = Arrival(inner._arrival.sequence)


async def test_rules_of_the_server_are_its_errors(served: Served, clock: Ticking) -> None:
    """The platform's namespaces, a bad key and a wrong credential are what they are in one process."""
    served.fresh(clock)
    async with open_storage(served.url, api_key="ada") as storage:
        with pytest.raises(OutOfReach):
            await storage.namespace("identity.users").get("k")
        with pytest.raises(Unsupported):
            await storage.compact(1)
        with pytest.raises(Unsupported):
            await anext(storage.watch())
    async with open_storage(served.url, api_key="nobody") as storage:
        with pytest.raises(AccessDenied, match="STORAGE_API_KEY"):
            await storage.namespace("things").get("k")


async def test_no_server_is_a_clear_error_and_then_left_alone() -> None:
    """Nobody listens: Unavailable each time, soon without trying."""
    wire = Wire("http://127.0.0.1:1", sleep=at_once)
    async with Storage(HttpDocuments(wire)) as storage:
        for _ in range(3):
            with pytest.raises(Unavailable, match=r"cannot be reached|has not answered of late"):
                await storage.namespace("things").get("k")
        with pytest.raises(Unavailable, match="has not answered of late"):
            await storage.namespace("things").get("k")


@pytest.mark.parametrize("url", ["http://storage.example", "https://user:secret@host", "https://host?x=1", "https://"])
async def test_senseless_addresses_are_refused(url: str) -> None:
    """Plain HTTP to another machine, credentials and queries in the URL; the error shows no password."""
    with pytest.raises(InvalidInput, match=r"^url: ") as raised:
        await open_storage(url).__aenter__()
    assert "secret" not in str(raised.value)


async def test_only_the_authority_that_is_named_is_trusted(served: Served, tmp_path: Path) -> None:
    """A file that holds no certificates stops the opening."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match="STORAGE_CA_FILE"):
        await open_storage(served.url, ca_file=tmp_path / "ca.pem").__aenter__()


@pytest.mark.parametrize("wrapper", [Retrying, Bounded, Cached])
async def test_wrappers_see_the_feed_and_values(served: Served, clock: Ticking, wrapper: type[Forwarding]) -> None:
    """A wrapped remote backend reads, writes and follows."""
    served.fresh(clock)
    async with Storage(wrapper(HttpDocuments(Wire(served.url, api_key="ada")))) as storage:
        space = storage.namespace("things")
        version = await space.put("k", [1])
        found = await space.get("k")
        assert found is not None
        assert (version, [1]) == (found.version, found.value)
        assert [(version, "put", "k")] == await first(space.watch(), 1)
