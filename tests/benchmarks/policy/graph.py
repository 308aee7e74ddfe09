"""The identity graph: memberships at 321 000 edges, custody at 200 000, and what both add to a request.

``python tests/benchmarks/policy/graph.py`` prints the table alone; ``just bench policy`` prints it with the engine's.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.graph.index import GraphIndex
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import SubjectId, SubjectKind, subject_id, subject_urn
from au_sys_identity.core.subjects.ports import Standing
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing import started_app

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, GROUPS, EACH = 100_000, 20_000, 3
MACHINES = 100_000
ASKED = 20_000
BOOTSTRAP, PASSWORD = "a-bootstrap-token-of-some-length", "correct horse battery staple"


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``must`` (at most) and ``at_least`` are in its unit, where there is a bound."""

    what: str
    value: float
    unit: str
    must: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the bounds are kept."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.must is None or self.value <= self.must

    def __str__(self) -> str:
        bound = self.must if self.at_least is None else self.at_least
        told = "" if bound is None else f"must {bound:g} {self.unit}: {'met' if self.met else 'MISSED'}"
        return f"{self.what:<62} {self.value:>10.2f} {self.unit:<4} {told}"


def _resident() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _subjects(index: GraphIndex, kind: SubjectKind, count: int) -> list[SubjectId]:
    ids = [SubjectId(uuid7()) for _ in range(count)]
    for one in ids:
        index.put(Standing(one, kind, "active"))
    return ids


def memberships() -> list[Figure]:
    """A hundred thousand people in three groups each, twenty thousand groups in trees of ten levels: 321 000 edges."""
    chance = random.Random(7)
    before = _resident()
    index = GraphIndex()
    people, groups = _subjects(index, "person", PEOPLE), _subjects(index, "group", GROUPS)
    began = time.perf_counter()
    edges = 0
    for number in range(1, GROUPS):
        index.link(groups[number], "member_of", groups[(number - 1) // 4], None)
        edges += 1
    for person in people:
        for group in chance.sample(groups, EACH):
            index.link(person, "member_of", group, None)
            edges += 1
    while edges < 321_000:
        index.link(chance.choice(people), "member_of", chance.choice(groups), None)
        edges += 1
    loaded = time.perf_counter() - began
    memory = _resident() - before
    for group in groups:
        index.groups_of(subject_urn("group", group), NOW)
    pairs = [
        (subject_urn("person", chance.choice(people)), subject_urn("group", chance.choice(groups)))
        for _ in range(ASKED)
    ]
    member = _timed([partial(index.is_member, person, group, NOW) for person, group in pairs])
    listed = _timed([partial(index.groups_of, person, NOW) for person, _group in pairs])
    fresh = [(chance.choice(people), chance.choice(groups)) for _ in range(2000)]
    added = _timed([partial(index.link, person, "member_of", group, None) for person, group in fresh])
    return [
        Figure(f"is-member at {edges} edges, p50", _at(member, 0.5), "µs"),
        Figure(f"is-member at {edges} edges, p99", _at(member, 0.99), "µs", 60),
        Figure(f"memberships at {edges} edges, p50", _at(listed, 0.5), "µs"),
        Figure(f"memberships at {edges} edges, p99", _at(listed, 0.99), "µs", 60),
        Figure("one membership added in memory, p50", _at(added, 0.5), "µs"),
        Figure("one membership added in memory, p99", _at(added, 0.99), "µs"),
        Figure(f"{edges} edges linked in memory", loaded, "s"),
        Figure("memory of the graph", memory, "MB"),
    ]


def custody() -> list[Figure]:
    """A hundred thousand machines, each owned by a person or a group, in chains of children: 200 000 edges (B12)."""
    chance = random.Random(8)
    index = GraphIndex()
    people, groups = _subjects(index, "person", 20_000), _subjects(index, "group", 1_000)
    machines = _subjects(index, "agent", MACHINES)
    edges = 0
    for group in groups:
        index.link(chance.choice(people), "owner_of", group, None)
        edges += 1
    for number, machine in enumerate(machines):
        if number % 8:  # chains of eight, of which the first is owned
            index.link(machine, "child_of", machines[number - 1], None)
        else:
            index.link(chance.choice(groups), "owner_of", machine, None)
        edges += 1
    while edges < 200_000:
        index.link(chance.choice(people), "owner_of", chance.choice(machines), None)
        edges += 1
    asked = [chance.choice(machines) for _ in range(ASKED)]
    found = _timed([partial(index.custody, one) for one in asked])
    return [
        Figure(f"custody of a machine at {edges} edges, p50", _at(found, 0.5), "µs"),
        Figure(f"custody of a machine at {edges} edges, p99", _at(found, 0.99), "µs", 1000),
    ]


async def share() -> list[Figure]:
    """What custody and permission take of a machine's request, both inside one process and without a network."""
    os.environ |= {
        "IDENTITY_BOOTSTRAP_TOKEN": BOOTSTRAP,
        "IDENTITY_PASSWORD_MEMORY_KIB": "8",
        "IDENTITY_RATE_DEFAULT": "10000000/minute",
    }
    with tempfile.TemporaryDirectory(prefix="fsp-graph-") as folder:
        platform = PlatformSettings(environment="test", data_dir=Path(folder), public_url="http://platform.test")
        identity = Identity()
        async with started_app(settings=platform, capabilities=[identity]) as client:
            key = await _machine(client)
            wiring = identity._wiring
            assert wiring is not None
            built = {service.interface: service.factory for service in wiring.services}
            graph, decisions = built[LiveGraph](None), built[Decisions](None)
            assert isinstance(graph, LiveGraph)
            assert isinstance(decisions, Decisions)
            urn = key.pop("machine")
            machine = subject_id(urn)
            assert machine is not None
            whole = await _awaited(lambda: client.get("/iam/ai-providers", headers=key), 400)

            async def both() -> None:
                index = await graph.current()
                index.custody(machine)
                await decisions.decide(urn, "identity.providers.read", person=False)

            parts = await _awaited(both, 4000)
    part, request = statistics.median(parts), statistics.median(whole)
    return [
        Figure("an authenticated request of a machine, in process", request, "µs"),
        Figure("custody and permission of it", part, "µs"),
        Figure("their share", 100 * part / request, "%", 5),
    ]


async def _machine(client: httpx.AsyncClient) -> dict[str, str]:
    admin = {"email": "admin@example.org", "password": PASSWORD}
    await client.post("/auth/register", json={**admin, "bootstrap_token": BOOTSTRAP})
    token = (await client.post("/auth/jwt/login", json=admin)).json()["access_token"]
    header = {"authorization": f"Bearer {token}"}
    made = await client.post("/iam/service-accounts", headers=header, json={"name": "Bench", "purpose": "x"})
    urn = str(made.json()["urn"])
    await client.post(f"/rbac/users/{urn}/roles", headers=header, json={"role": "org-admin"})
    body = {"name": "Bench", "scopes": ["identity.providers.read"]}
    key = await client.post(f"/iam/service-accounts/{urn}/keys", headers=header, json=body)
    return {"x-api-key": str(key.json()["secret"]), "machine": urn}


async def _awaited(work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    for _ in range(times // 10):
        await work()
        await asyncio.sleep(0)
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1e6)
        await asyncio.sleep(0)  # what follows the changes of other processes has its turn
    return found


def _timed(work: list[Callable[[], object]]) -> list[float]:
    found = []
    for one in work:
        began = time.perf_counter()
        one()
        found.append((time.perf_counter() - began) * 1e6)
    return sorted(found)


def _at(found: list[float], part: float) -> float:
    return found[int(len(found) * part)]


def figures() -> list[Figure]:
    """All of them."""
    return [*memberships(), *custody(), *asyncio.run(share())]


def main() -> int:
    """0 when every bound is kept."""
    found = figures()
    for figure in found:
        print(figure)
    return 0 if all(figure.met for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
