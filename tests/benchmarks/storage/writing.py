"""Durable puts of 64 writers: against one commit each, against synchronous=NORMAL, with encryption, and their tail."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiosqlite
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.benchmarks.storage.measuring import VALUE, Row, Scale, during, paired, percentile

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.core.wrappers.keys import KeyRing

_UPSERT = "INSERT INTO docs VALUES({}, {}) ON CONFLICT(key) DO UPDATE SET value = excluded.value"


async def ours(folder: Path, seconds: float) -> float:
    """Durable puts through the SDK, everything on."""
    async with open_storage(f"sqlite://{folder}/ours.db") as storage:
        return await _puts(storage, seconds)


async def ours_sealed(folder: Path, seconds: float) -> float:
    """The same with every document encrypted."""
    async with open_storage(f"sqlite://{folder}/sealed.db") as storage:
        return await _puts(Storage(Encrypted(storage.store, KeyRing({1: b"k" * 32}))), seconds)


async def ours_not_synced(folder: Path, seconds: float) -> float:
    """The same with synchronous=NORMAL, to see what durability costs."""
    async with open_storage(f"sqlite://{folder}/normal.db") as storage:
        storage.store._writing_side()._connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]  # sqlite
        return await _puts(storage, seconds)


async def _puts(storage: Storage, seconds: float) -> float:
    space = storage.namespace("bench")
    return await during(seconds, lambda step: space.put(f"key-{step:05}", VALUE))


async def with_aiosqlite(folder: Path, seconds: float) -> float:
    """One connection, one commit each, as most programs do it."""
    async with aiosqlite.connect(folder / "aiosqlite.db") as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        await connection.execute("PRAGMA synchronous=FULL")
        await connection.execute("CREATE TABLE IF NOT EXISTS docs(key TEXT PRIMARY KEY, value BLOB)")
        lock = asyncio.Lock()

        async def put(step: int) -> None:
            async with lock:
                await connection.execute(_UPSERT.format("?", "?"), (f"key-{step:05}", json.dumps(VALUE)))
                await connection.commit()

        return await during(seconds, put)


async def with_sqlalchemy(folder: Path, seconds: float) -> float:
    """A connection of the pool and a commit for each write, as programs do it: whoever finds the file locked waits."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/alchemy.db", connect_args={"timeout": 60})
    async with engine.begin() as connection:
        await connection.execute(text("PRAGMA journal_mode=WAL"))
        await connection.execute(text("CREATE TABLE IF NOT EXISTS docs(key TEXT PRIMARY KEY, value BLOB)"))
    statement = text(_UPSERT.format(":k", ":v"))

    async def put(step: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(statement, {"k": f"key-{step:05}", "v": json.dumps(VALUE)})

    try:
        return await during(seconds, put)
    finally:
        await engine.dispose()


async def tail(folder: Path, seconds: float) -> float:
    """The 99th percentile of a durable put at 64 writers in milliseconds."""
    taken: list[float] = []
    async with open_storage(f"sqlite://{folder}/tail.db") as storage:
        space = storage.namespace("bench")

        async def put(step: int) -> None:
            before = time.perf_counter()
            await space.put(f"key-{step:05}", VALUE)
            taken.append(time.perf_counter() - before)

        await during(seconds, put)
    return percentile(taken, 99) * 1e3


async def rows(folder: Path, scale: Scale) -> list[Row]:
    """What writing costs."""
    ways = {
        "ours": ours, "normal": ours_not_synced, "sealed": ours_sealed, "aiosqlite": with_aiosqlite,
        "sqlalchemy": with_sqlalchemy,
    }  # fmt: skip
    rates = await paired(ways, folder, scale)
    mine, note = rates["ours"], f"{rates['ours']:,.0f} put/s"
    return [
        Row("put, 64 writers, against SQLAlchemy async with a commit each", mine / rates["sqlalchemy"], "x", 20, 30,
            at_least=True, note=f"{note} : {rates['sqlalchemy']:,.0f}"),
        Row("put, 64 writers, against aiosqlite with a commit each", mine / rates["aiosqlite"], "x", 5, 8,
            at_least=True, note=f"{note} : {rates['aiosqlite']:,.0f}"),
        Row("put, 64 writers: FULL against NORMAL", rates["normal"] / mine, "x", 1.5, 1.3,
            note=f"{note} : {rates['normal']:,.0f}"),
        Row("put, 64 writers: p99", await tail(folder, 2 * scale.seconds), "ms", 15, 10),
        Row("put, 64 writers: what encryption costs", (mine / rates["sealed"] - 1) * 100, "%", 20, 10,
            note=f"{note} : {rates['sealed']:,.0f}"),
    ]  # fmt: skip
