"""Breakers of two nodes that share a PostgreSQL or a Redis server."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.http.outbound.sharing import BreakerBoard, BreakerSharing, breaker_board
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker
from fastapi_services_platform.testing.postgres import PostgresServer

ADDRESS = ClientSettings("http://127.0.0.1:9", rest_seconds=60)


class Node:
    """A node's clients with one upstream, and its look at the board."""

    def __init__(self, board: BreakerBoard) -> None:
        self.clients = Clients()
        self.breaker: CircuitBreaker = self.clients.open("directory", ADDRESS).breaker
        self.sharing = BreakerSharing(self.clients, board)

    async def look(self) -> str:
        await self.sharing.look()
        return self.breaker.state

    def fail(self) -> None:
        for _ in range(5):
            with pytest.raises(OSError, match="down"), self.breaker.guard():
                raise OSError("down")


@pytest.fixture(
    params=[
        pytest.param("database", marks=pytest.mark.needs_postgres),
        pytest.param("redis", marks=pytest.mark.needs_redis),
    ]
)
async def boards(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], BreakerBoard]]:
    databases: list[Database] = []
    made: list[BreakerBoard] = []
    if request.param == "database":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.database("breakers").replace("postgresql://", "postgresql+asyncpg://")
        storage = "auto"
    else:
        url, storage = "sqlite+aiosqlite://", request.getfixturevalue("redis")

    def board() -> BreakerBoard:
        databases.append(Database("hub", url))
        found = breaker_board(storage, databases[-1])
        assert found is not None
        made.append(found)
        return found

    yield board
    for item in made:
        await item.put("directory", 0)
        await item.close()
    for database in databases:
        await database.close()


async def test_what_one_node_finds_out_the_others_know(boards: Callable[[], BreakerBoard]) -> None:
    """An open breaker opens the others'; closing it by hand closes them; a late node learns of it too."""
    one, two = Node(boards()), Node(boards())
    assert [await one.look(), await two.look()] == ["closed", "closed"]
    one.breaker._is_failure = lambda _error: True
    one.fail()
    late = Node(boards())
    assert [await one.look(), await two.look(), await late.look()] == ["open"] * 3
    assert 30 < two.breaker.seconds_left <= 60
    two.breaker.reset()
    assert [await two.look(), await one.look(), await late.look()] == ["closed"] * 3


async def test_nodes_that_begin_at_once_make_the_tables_once(boards: Callable[[], BreakerBoard]) -> None:
    """No error, and every node sees what every node put."""
    made = [boards() for _ in range(6)]
    await asyncio.gather(*(board.put(f"upstream-{number}", 30) for number, board in enumerate(made)))
    seen = [set(await board.read()) for board in made]
    assert all({f"upstream-{number}" for number in range(6)} <= names for names in seen)


async def test_a_board_that_is_away_leaves_what_a_node_knows() -> None:
    """The node goes on with its own breakers, and says so once."""
    board = breaker_board("redis://127.0.0.1:1/0", Database("hub", "sqlite+aiosqlite://"))
    assert board is not None
    node = Node(board)
    node.breaker._is_failure = lambda _error: True
    node.fail()
    task = asyncio.create_task(node.sharing.run())
    while not node.sharing._silent:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert node.breaker.state == "open"


def test_a_storage_that_is_none_stops_the_start() -> None:
    """The error names the variable and the choices; a platform on SQLite shares nothing."""
    database = Database("hub", "sqlite+aiosqlite://")
    assert breaker_board("auto", database) is None
    with pytest.raises(ConfigurationError, match="FSP_BREAKER_STORAGE"):
        breaker_board("mysql://x", database)
