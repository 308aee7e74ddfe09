"""What has to hold on every backend that documents are moved between: the fence, the removal, the export."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.cli.archives import export_archive, import_archive
from au_sys_storage_sdk.adapters.cli.progress import Bar
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.core.documents.standing import Role, Standing
from au_sys_storage_sdk.core.errors import Fenced
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server for this module."""
    with postgres_server() as started:
        yield started


@pytest.fixture
def urls(tmp_path: Path, server: PostgresServer) -> Iterator[dict[str, str]]:
    """An empty backend of each kind."""
    with redis_server(tmp_path) as redis:
        yield {"sqlite": f"sqlite://{tmp_path}/a.db", "postgres": server.database("across"), "redis": redis}


@pytest.mark.parametrize("kind", ["postgres", "redis"])
async def test_another_node_is_fenced_until_it_opens_anew(urls: dict[str, str], kind: str) -> None:
    """Retired: nobody writes. Active again in a later epoch: a node of the earlier one is refused, a new one is not."""
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(Storage(await document_store(urls[kind]))) for _ in range(2)]
        await two.namespace("things").put("k", 1)
        await one.store.stand(Standing(1, Role.RETIRED, "operation"))
        for node in (one, two):
            with pytest.raises(Fenced):
                await node.namespace("things").put("k", 2)
        await one.store.stand(Standing(3, Role.ACTIVE, "later"))
        await one.namespace("things").put("k", 3)
        with pytest.raises(Fenced, match="from epoch 1 to 3"):
            await two.namespace("things").put("k", 4)
        three = await stack.enter_async_context(Storage(await document_store(urls[kind])))
        assert await three.namespace("things").put("k", 5) == 3


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
async def test_an_erased_backend_begins_anew(urls: dict[str, str], kind: str) -> None:
    """No document, no feed, sequence zero; what it is among the others stays."""
    async with Storage(await document_store(urls[kind])) as storage:
        await storage.namespace("things").put("k", 1, ttl=1000)
        await storage.compact(0)
        standing = Standing(1, Role.COPY, "operation")
        await storage.store.stand(standing)
        await storage.store.erase()
        assert (0, 0, [], standing) == (
            await storage.sequence(), await storage.namespace("things").sequence(), list(await storage.usage()),
            await storage.store.standing(),
        )  # fmt: skip
        assert await storage.store.changes(0, 10) == ([], 0)
        await storage.store.stand(Standing())
        assert await storage.namespace("things").put("k", 1) == 1


def lines(folder: Path) -> list[dict[str, object]]:
    """The documents of an export without their versions, which belong to the backend."""
    found = [json.loads(line) for line in (folder / "documents.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "version"} for line in found]


async def test_an_export_fills_every_other_backend_equally(urls: dict[str, str], tmp_path: Path) -> None:
    """SQLite, exported while it is written to, into PostgreSQL and Redis: their exports are equal; again: nothing."""
    async with Storage(await document_store(urls["sqlite"])) as storage:
        for number in range(300):
            await storage.namespace("things").put(f"å/{number}", {"n": number}, ttl=5000 if number % 2 else None)
            await storage.for_tenant("other").namespace("things").put(f"{number}", None)
        stop = asyncio.Event()
        writing = asyncio.create_task(_write(storage, stop))
        await export_archive(storage.store, None, tmp_path / "archive", Bar())
        stop.set()
        await writing
    expected = lines(tmp_path / "archive")
    for kind in ("postgres", "redis"):
        store = await document_store(urls[kind])
        written = [(await import_archive(store, None, tmp_path / "archive", Bar()))[0] for _ in range(2)]
        await export_archive(store, None, tmp_path / kind, Bar())
        await store.close()
        assert ([len(expected), 0], expected) == (written, lines(tmp_path / kind))


async def _write(storage: Storage, stop: asyncio.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        await storage.namespace("busy").put(f"{number % 50}", number)
