"""Breakers on the hub and in the platform API: seen, closed by hand, audited, measured."""

from collections.abc import AsyncIterator, Callable

import pytest
from httpx import AsyncClient

from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

API = {"authorization": "Bearer ada"}
BROWSER = {"accept": "text/html", "cookie": "session=ada"}


@pytest.fixture
async def client(settings: PlatformSettings, sample: Callable[..., Prepared]) -> AsyncIterator[AsyncClient]:
    async with started_app(settings=settings, capabilities=[sample(), believing_identity()]) as started:
        app = started._transport.app  # type: ignore[attr-defined]  # the in-process transport of the kit
        upstream = app.platform.clients.open("directory", ClientSettings("http://127.0.0.1:9", attempts=1))
        for _ in range(5):
            with pytest.raises(Exception, match=r"(?i)connect"):
                await upstream.get("/")
        yield started


async def test_an_open_breaker_is_seen_and_closed(client: AsyncClient) -> None:
    """By API: the state, then closed, with an entry in the audit trail; health and metrics tell of it too."""
    before = (await client.get("/platform/api/v1/breakers", headers=API)).json()
    health = (await client.get("/health")).json()
    metrics = (await client.get("/metrics", headers=API)).text
    after = await client.post("/platform/api/v1/breakers/directory/reset", headers=API)
    entry = (await client.get("/platform/api/v1/audit", headers=API)).json()["entries"][0]
    assert [(item["name"], item["state"], item["calls"]["failed"]) for item in before] == [("directory", "open", 5)]
    assert health["upstreams"]["directory"]["status"] == "degraded"
    assert 'fsp_breaker_state{breaker="directory"} 2.0' in metrics
    assert 'fsp_upstream_calls_total{outcome="failed",upstream="directory"} 5.0' in metrics
    assert (after.status_code, after.json()["state"]) == (200, "closed")
    assert (entry["action"], entry["resource"], entry["details"]) == (
        "platform.breaker_reset",
        "breaker:directory",
        {"before": "open"},
    )


async def test_the_page_closes_it_with_a_form(client: AsyncClient) -> None:
    """The page shows the breaker and its button; the form closes it."""
    page = await client.get("/platform/breakers", headers=BROWSER)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = await client.post("/platform/breakers", data={"csrf_token": token, "breaker": "directory"}, headers=BROWSER)
    state = (await client.get("/platform/api/v1/breakers", headers=API)).json()[0]["state"]
    assert (page.status_code, "directory" in page.text) == (200, True)
    assert (sent.status_code, state) == (303, "closed")


async def test_an_unknown_breaker_is_a_404_and_strangers_see_nothing(client: AsyncClient) -> None:
    """Named, and protected like the rest."""
    unknown = await client.post("/platform/api/v1/breakers/none/reset", headers=API)
    assert (unknown.status_code, unknown.json()["type"].rpartition("/")[2]) == (404, "unknown-breaker")
    assert (await client.get("/platform/api/v1/breakers")).status_code == 401
    assert (await client.post("/platform/api/v1/breakers/directory/reset")).status_code == 401
