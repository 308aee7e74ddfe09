"""The PostgreSQL and Redis backends against the pools of their raw clients: 64 writers, every commit on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from redis.asyncio import BlockingConnectionPool, Redis
from tests.benchmarks.storage import servers
from tests.benchmarks.storage.measuring import VALUE, WRITERS, Round, Row, Scale, during, paired

from au_sys_storage_sdk import open_storage

_POOL = 32


def _ours(url: str) -> Round:
    async def run(folder: Path, seconds: float) -> float:
        async with open_storage(url) as storage:
            space = storage.namespace("bench")
            return await during(seconds, lambda step: space.put(f"key-{step:05}", VALUE))

    return run


def _asyncpg(url: str) -> Round:
    async def run(folder: Path, seconds: float) -> float:
        async with asyncpg.create_pool(url, min_size=_POOL, max_size=_POOL) as pool:
            await pool.execute("CREATE TABLE IF NOT EXISTS raw(key text PRIMARY KEY, value bytea)")
            statement = "INSERT INTO raw VALUES($1, $2) ON CONFLICT(key) DO UPDATE SET value = excluded.value"

            async def put(step: int) -> None:
                await pool.execute(statement, f"key-{step:05}", json.dumps(VALUE).encode())

            return await during(seconds, put)

    return run


def _redis(url: str) -> Round:
    async def run(folder: Path, seconds: float) -> float:
        pool = BlockingConnectionPool.from_url(url, max_connections=WRITERS)
        async with Redis(connection_pool=pool) as client:

            async def put(step: int) -> None:
                await client.set(f"raw-{step:05}", json.dumps(VALUE))

            rate = await during(seconds, put)
        await pool.disconnect()
        return rate

    return run


async def rows(folder: Path, scale: Scale) -> list[Row]:
    """Batched against unbatched."""
    found = []
    kinds: dict[str, tuple[Callable[..., object], Callable[[str], Round]]] = {
        "PostgreSQL": (servers.postgres, _asyncpg), "Redis": (servers.redis, _redis)
    }  # fmt: skip
    for name, (server, raw) in kinds.items():
        with server(folder / name.lower()) as url:  # type: ignore[attr-defined]  # a context manager
            rates = await paired({"ours": _ours(url), "raw": raw(url)}, folder, scale)
        note = f"{rates['ours']:,.0f} put/s : {rates['raw']:,.0f}"
        what = f"put, 64 writers: {name} backend against its raw client's pool"
        found.append(Row(what, rates["ours"] / rates["raw"], "x", 3, 5, at_least=True, note=note))
    return found
