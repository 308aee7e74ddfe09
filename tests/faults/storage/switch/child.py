"""A process that writes while it moves documents from backend to backend, and is killed for it.

It says what it begins (`>`) and what was acknowledged (`<`) on its standard output, which outlives it. With `die` it
kills itself at that step of a switch: before or after each call that changes a backend or the journal.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import NamedTuple

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Replica, Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.switching.divided import MAIN, Divided, Division
from au_sys_storage_sdk.core.switching.journal import Entry
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switchable import Switchable
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

KEYS = 6


class Orders(NamedTuple):
    """What the process is told. ``stays``: the backend of namespaces that are not moved; without one everything is."""

    folder: str
    urls: dict[str, str]
    route: list[str]
    writers: int
    first: int
    die: int
    stays: str = ""


class Death:
    """Counts steps and ends the process at one of them."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.steps = 0

    def step(self) -> None:
        """One more."""
        self.steps += 1
        if self.steps == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Forwarding):
    """A backend whose process may die around every step of a switch."""

    def __init__(self, inner: DocumentStore, death: Death) -> None:
        super().__init__(inner)
        self._death = death

    async def replicate(self, replica: Replica) -> None:
        """Around a page that is copied."""
        self._death.step()
        await super().replicate(replica)
        self._death.step()

    async def stand(self, standing: Standing) -> None:
        """Around a mark."""
        self._death.step()
        await super().stand(standing)
        self._death.step()

    async def erase(self) -> None:
        """Around a removal."""
        self._death.step()
        await super().erase()
        self._death.step()

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """Before a page is read for copy or comparison."""
        self._death.step()
        return await super().scan(space, prefix, after, limit, max_bytes, keys_only)


class MortalJournal(FileJournal):
    """The journal, in the same danger."""

    def __init__(self, path: Path, death: Death) -> None:
        super().__init__(path)
        self._death = death

    async def write(self, entry: Entry) -> None:
        """Around an entry."""
        self._death.step()
        await super().write(entry)
        self._death.step()


def _say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


async def _write(storage: Storage, mark: int, orders: Orders, stop: asyncio.Event) -> None:
    staying = orders.stays and mark % 2  # half of the writers write what stays
    chance, number = random.Random(), orders.first
    space = storage.namespace("stay" if staying else "load")
    while not stop.is_set():
        number += 1
        key = f"{mark}/{chance.randrange(KEYS)}"
        _say(f"{'s' if staying else '>'} {key} {number}")
        version = await space.put(key, number, ttl=3600 if number % 3 else None)
        _say(f"{'t' if staying else '<'} {key} {number} {version}")


async def _travel(store: Switchable, orders: Orders) -> None:
    """Go on with what was under way, then to every backend of the route that is still ahead."""
    while True:
        if store.progress is not None:
            done = await store.finished()
            if done.phase is not Phase.FLIPPED:
                raise RuntimeError(f"{done.phase}: {done.reason}")
            _say(f"= {done.source} {done.target} {done.pause}")
        place = orders.route.index(store.entry.active)
        if place + 1 == len(orders.route):
            return
        await store.switch(orders.route[place + 1])


async def _in_step(store: Switchable) -> None:
    """Wait until the backend before has everything, so that both can be compared."""
    while store._observation is not None and store._observation.reached != await store.sequence():
        await asyncio.sleep(0.01)


async def run(orders: Orders) -> None:
    """Write and travel; at the end everything is closed in order."""
    death = Death(orders.die)

    async def opener(name: str) -> DocumentStore:
        store = await document_store(orders.urls[name])
        return Mortal(store, death) if orders.die else store

    journal = MortalJournal(Path(orders.folder) / "switch.json", death)
    store = await Switchable.open(orders.route[0], journal, opener)
    stop, whole = asyncio.Event(), await _whole(store, orders)
    storage = Storage(whole)
    writing = [asyncio.create_task(_write(storage, mark, orders, stop)) for mark in range(orders.writers)]
    try:
        await _travel(store, orders)
    finally:
        stop.set()
        await asyncio.gather(*writing)
    await _in_step(store)
    _say(f"! {store.entry.active} {store.entry.previous} {death.steps}")
    await whole.close()


async def _whole(store: Switchable, orders: Orders) -> DocumentStore:
    """What is moved, beside what stays where it is."""
    if not orders.stays:
        return store
    main = await Switchable.open(
        "stays", FileJournal(Path(orders.folder) / "stays.json"), lambda _name: document_store(orders.stays)
    )
    return Divided({MAIN: main, "moved": store}, Division((("moved", ("load",)),)))


if __name__ == "__main__":
    asyncio.run(run(Orders(**json.loads(sys.argv[1]))))
