"""Rate limits that two nodes share through a PostgreSQL or a Redis server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from httpx import AsyncClient

from fastapi_services_platform import RouterMount, Tier, access
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.door.limit_windows import DatabaseWindows, LibraryWindows, Windows, windows_in
from fastapi_services_platform.http.door.rate_limits import parsed
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.postgres import PostgresServer
from fastapi_services_platform.testing.started_app import settings_for

YAML = "capabilities:\n  demo:\n    routers:\n      api: {rate_limit: 5/hour}\n"

STORAGES = [
    pytest.param("database", marks=pytest.mark.needs_postgres),
    pytest.param("redis", marks=pytest.mark.needs_redis),
]


@pytest.fixture(params=STORAGES)
async def windows(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Windows, Windows]]:
    """The same storage seen from two nodes."""
    if request.param == "redis":
        url = request.getfixturevalue("redis")
        kept = LibraryWindows(url), LibraryWindows(url)
        yield kept
        for item in kept:
            await item.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.database("limits").replace("postgresql://", "postgresql+asyncpg://")
    databases = [Database("hub", url), Database("hub", url)]
    yield DatabaseWindows(databases[0]), DatabaseWindows(databases[1])
    for database in databases:
        await database.close()


async def test_exactly_the_limit_passes_whoever_counts(windows: tuple[Windows, Windows]) -> None:
    """Forty requests at once over two nodes, ten of them within the limit; another caller has a count of its own."""
    item = parsed("10/hour")
    answers = await asyncio.gather(*(windows[number % 2].hit(item, "ada") for number in range(40)))
    other = await windows[0].hit(item, "eve")
    late = await windows[1].hit(item, "ada")
    assert sum(answer.allowed for answer in answers) == 10
    assert (other.allowed, other.remaining) == (True, 9)
    assert (late.allowed, late.remaining) == (False, 0)
    assert 0 < late.seconds <= 7200


async def test_a_window_moves_on(windows: tuple[Windows, Windows]) -> None:
    """What was refused is let in again later; in between the share of the window before still counts."""
    item = parsed("2/second")
    while (await windows[0].hit(item, "ada")).allowed:
        continue
    refused = await windows[1].hit(item, "ada")
    while not (answer := await windows[1].hit(item, "ada")).allowed:
        await asyncio.sleep(0.05)
    assert (refused.seconds, answer.allowed) == (1, True) or refused.seconds == 2


@pytest.fixture(params=STORAGES)
async def nodes(
    request: pytest.FixtureRequest, tmp_path: Path, sample: Callable[..., Any], identity: Any
) -> AsyncIterator[tuple[AsyncClient, AsyncClient]]:
    (tmp_path / "router_factory_settings.yaml").write_text(YAML)
    own: dict[str, Any] = {"config_dir": tmp_path}  # Any: settings of several types
    if request.param == "redis":
        own["rate_limit_storage"] = request.getfixturevalue("redis")
    else:
        own["rate_limit_storage"] = "database"
        own["database_url"] = request.getfixturevalue("postgres").database("nodes")
    async with AsyncExitStack() as stack:
        clients = []
        for number in range(2):
            router = APIRouter()

            @router.get("/mine")
            @access(authenticated=True)
            async def mine() -> dict[str, str]:
                return {"mine": "yes"}

            settings = settings_for(tmp_path / f"node{number}", **own)
            demo = sample(routers=(RouterMount("api", router, Tier.API),))
            clients.append(
                await stack.enter_async_context(started_app(settings=settings, capabilities=[identity, demo]))
            )
        yield clients[0], clients[1]


async def test_two_nodes_share_a_limit(nodes: tuple[AsyncClient, AsyncClient]) -> None:
    """Three here and two there are five; the sixth is refused on both, with the time to wait."""
    who = {"authorization": "Bearer ada"}
    answers = [await nodes[number % 2].get("/mine", headers=who) for number in range(5)]
    refused = [await node.get("/mine", headers=who) for node in nodes]
    other = await nodes[1].get("/mine", headers={"authorization": "Bearer eve"})
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0"]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert other.status_code == 200


def test_files_do_not_count_for_several_nodes() -> None:
    """`database` on SQLite stops the start; so does a storage that is none."""
    database = Database("hub", "sqlite+aiosqlite://")
    for storage in ("database", "mysql://nowhere"):
        with pytest.raises(ConfigurationError, match="FSP_RATE_LIMIT_STORAGE"):
            windows_in(storage, database)


async def test_a_storage_that_is_away_closes_nothing(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """Requests are answered, without RateLimit headers."""
    (tmp_path / "router_factory_settings.yaml").write_text(YAML)
    router = APIRouter()

    @router.get("/open")
    @access(public=True)
    async def open_route() -> dict[str, str]:
        return {"open": "yes"}

    settings = settings_for(tmp_path, config_dir=tmp_path, rate_limit_storage="redis://127.0.0.1:1/0")
    demo = sample(routers=(RouterMount("api", router, Tier.API),))
    async with started_app(settings=settings, capabilities=[demo]) as client:
        answer = await client.get("/open")
    assert (answer.status_code, "ratelimit-limit" in answer.headers) == (200, False)
