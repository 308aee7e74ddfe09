"""Readers and writers on few keys, and what they were answered."""

from __future__ import annotations

import asyncio
import random

from au_sys_storage_sdk import ABSENT, Storage
from au_sys_storage_sdk.conformance.histories import History
from au_sys_storage_sdk.core.address import space
from au_sys_storage_sdk.core.documents.operations import Delete

CLIENTS = 24
CALLS = 40


async def load(storage: Storage, seed: int, clients: int = CLIENTS, history: History | None = None) -> History:
    """Readers and writers on few keys; what they were answered."""
    history, things = history if history is not None else History(), storage.namespace("load")

    async def client(mark: int) -> None:
        chance = random.Random(f"{seed} {mark}")
        seen = 0
        for number in range(CALLS):
            key, value = f"k{chance.randrange(5)}", f"{seed}/{mark}/{number}"
            kind = chance.randrange(10)
            if kind < 4:
                found = await _look(history, storage, key)
                seen = found or seen
            elif kind == 4:
                await history.remove(key, lambda key=key: _removed(storage, key))  # type: ignore[misc]  # a default keeps the key
            elif kind == 5 and seen:
                await history.write(key, value, lambda k=key, v=value, s=seen: things.put(k, v, if_match=s), seen)  # type: ignore[misc]  # as above
            elif kind == 6:
                await history.write(key, value, lambda k=key, v=value: things.put(k, v, if_match=ABSENT), 0)  # type: ignore[misc]  # as above
            else:
                await history.write(key, value, lambda k=key, v=value: things.put(k, v))  # type: ignore[misc]  # as above

    await asyncio.gather(*(client(mark) for mark in range(clients)))
    return history


async def _look(history: History, storage: Storage, key: str) -> int | None:
    async def look() -> tuple[object, int] | None:
        found = await storage.namespace("load").get(key)
        return None if found is None else (found.value, found.version)

    await history.read(key, look)
    return history.calls[-1].version if history.calls[-1].key == key else None


async def _removed(storage: Storage, key: str) -> int | None:
    outcomes = await storage.store.commit((Delete(space("load"), key),))
    return outcomes[0].version
