"""Kill a process that switches, start it again until it has arrived, and compare what it was acknowledged."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.conformance.histories import UNKNOWN, Call, violations
from au_sys_storage_sdk.core.address import Space, space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.paging import MAX_LIMIT

_REPOSITORY = Path(__file__).parents[4]
_LIVES = 40
_STAYING = {"s": ">", "t": "<"}


@dataclass
class Trial:
    """A route through backends, and everything that was said on the way. ``stays``: the backend of what is not moved,
    of which is noted what was said in ``staying``.
    """

    folder: Path
    urls: dict[str, str]
    route: list[str]
    writers: int = 64
    lines: list[str] = field(default_factory=list)
    arrived: tuple[str, str] | None = None
    steps: int = 0
    pauses: list[float] = field(default_factory=list)
    kills: int = 0
    stays: str = ""
    staying: list[str] = field(default_factory=list)

    def live(self, *, die: int = 0, seconds: float | None = None) -> bool:
        """One life of the process; whether it arrived. It ends at a step, or after so many seconds."""
        orders = {
            "folder": str(self.folder), "urls": self.urls, "route": self.route, "writers": self.writers,
            "first": 1_000_000 * (self.kills + 1), "die": die, "stays": self.stays,
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.faults.storage.switch.child", json.dumps(orders)]
        process = subprocess.Popen(
            command, cwd=_REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            said, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaint = process.communicate()
        self._heard(said)
        if process.returncode == 0:
            return True
        assert process.returncode == -9, complaint
        self.kills += 1
        return False

    def _heard(self, said: str) -> None:
        whole = said if said.endswith("\n") else said[: said.rfind("\n") + 1]
        for line in whole.splitlines():
            kind, *rest = line.split(" ")
            if kind == "!":
                self.arrived, self.steps = (rest[0], rest[1]), int(rest[2])
            elif kind == "=" and rest[2] != "None":
                self.pauses.append(float(rest[2]))
            elif kind in _STAYING:
                self.staying.append(f"{_STAYING[kind]} {line[2:]}")
            else:
                self.lines.append(line)

    def arrive(self, chance: random.Random | None = None, kills: int = 0) -> None:
        """Live on, killed so many times at random moments, until the end of the route."""
        for number in range(_LIVES):
            seconds = chance.uniform(0.4, 3.0) if chance is not None and number < kills else None
            if self.live(seconds=seconds):
                return
        raise AssertionError("it did not arrive")

    @staticmethod
    def calls(lines: list[str]) -> list[Call]:
        """What was said, as a history."""
        begun: dict[tuple[str, str], int] = {}
        found: list[Call] = []
        for moment, line in enumerate(lines):
            kind, key, value, *version = line.split(" ")
            if kind == ">":
                begun[key, value] = moment
            elif kind == "<":
                found.append(Call("write", key, begun.pop((key, value)), moment, int(value), int(version[0])))
        found += [Call("write", key, moment, UNKNOWN, int(value)) for (key, value), moment in begun.items()]
        return found

    async def verify(self) -> int:
        """Everything that was acknowledged is there, nothing is stale, the feed has no gap; how many writes it was."""
        assert self.arrived is not None
        store = await document_store(self.urls[self.arrived[0]])
        try:
            calls = await self._told(store, "load", self.lines)
            found = await everything(store)
            if self.arrived[1]:
                before = await document_store(self.urls[self.arrived[1]])
                try:
                    assert found == await everything(before), "the backend before is not in step"
                    assert await before.sequence() == await store.sequence()
                finally:
                    await before.close()
        finally:
            await store.close()
        return sum(call.version is not None for call in calls) + await self._stayed()

    async def _stayed(self) -> int:
        """The same of what was not moved, and that nobody has touched what its backend is."""
        if not self.stays:
            return 0
        store = await document_store(self.stays)
        try:
            assert await store.standing() == Standing()
            assert {where for where, _ in await everything(store)} == {space("stay")}
            return sum(call.version is not None for call in await self._told(store, "stay", self.staying))
        finally:
            await store.close()

    async def _told(self, store: DocumentStore, namespace: str, lines: list[str]) -> list[Call]:
        """What was said of a namespace; its store tells the same."""
        calls, reads = self.calls(lines), len(lines) + 1
        held = {key: found for (where, key), found in (await everything(store)).items() if where == space(namespace)}
        reads_after = [
            Call("read", key, reads, reads + 1, int(record.value), record.version) for key, record in held.items()
        ]
        missing = {call.key for call in calls if call.version is not None} - held.keys()
        assert not missing, f"lost: {sorted(missing)[:5]}"
        assert violations([*calls, *reads_after]) == []
        await self._feed(store, calls)
        return calls

    async def _feed(self, store: DocumentStore, calls: list[Call]) -> None:
        seen, since = dict[int, str](), 0
        while True:
            changes, since_now = await store.changes(since, MAX_LIMIT)
            seen |= {change.seq: change.key for change in changes}
            if since_now == since:
                break
            since = since_now
        assert list(seen) == list(range(1, await store.sequence() + 1)), "the feed has a gap"
        assert all(seen[call.version] == call.key for call in calls if call.version is not None)


async def everything(store: DocumentStore) -> dict[tuple[Space, str], Stored]:
    """Every document of a store."""
    found: dict[tuple[Space, str], Stored] = {}
    for used in await store.usage():
        where, after = Space(used.tenant, used.namespace), ""
        while True:
            page = await store.scan(where, "", after, MAX_LIMIT, 1 << 24, keys_only=False)
            found |= {(where, record.key): record for record in page.items}
            if page.after is None:
                break
            after = page.after
    return found
