"""Circles under concurrency, and processes that follow each other's changes, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.conformance.graph import a_group, a_provider, an_agent, somebody
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.graph.errors import Cycle
from au_sys_identity.core.graph.linking import Linking, Wanted
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import postgres_server

ROOT = RootKey(b"0123456789abcdefghijklmnopqrstuv")
BY = "urn:au:user:tester"


def now() -> datetime:
    """The clock of these tests."""
    return datetime.now(UTC)


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)],
    ids=["sqlite", "postgres"],
)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of either kind."""
    with ExitStack() as stack:
        if request.param == "postgres":
            yield stack.enter_context(postgres_server()).database("identity_graph")
        else:
            folder: Path = tmp_path_factory.mktemp("graph")
            yield f"sqlite:///{folder}/identity.db"


@pytest.fixture
async def nodes(address: str) -> AsyncIterator[list[SqlTransactions]]:
    """Two processes' worth of connections: nothing in memory is shared."""
    databases = [Database("identity", address) for _ in range(2)]
    await databases[0].migrate(MIGRATIONS)
    yield [SqlTransactions(database, PersonalKeys(ROOT), now) for database in databases]
    for database in databases:
        await database.close()


async def test_of_links_that_close_a_circle_one_is_refused(nodes: list[SqlTransactions]) -> None:
    """Eight groups, each linked to the next at the same time over two nodes: seven edges, one refusal with its path."""
    groups = [a_group(f"Ring {number} {now().isoformat()}") for number in range(8)]
    async with nodes[0].writing() as unit:
        for group in groups:
            await unit.groups.add(group)
    linking = [Linking(node, ROOT, now) for node in nodes]

    async def link(number: int) -> str:
        ends = groups[number].id, groups[(number + 1) % 8].id
        try:
            await linking[number % 2].link(Wanted(ends[0], "member_of", ends[1]), by=BY)
        except Cycle as circle:
            assert len(circle.path) == 9  # noqa: PT017  # the path belongs to the refusal
            return "refused"
        return "linked"

    answers = await asyncio.gather(*(link(number) for number in range(8)))
    assert sorted(answers) == ["linked"] * 7 + ["refused"]


async def test_another_node_follows(nodes: list[SqlTransactions]) -> None:
    """What one node does, the other answers from memory, by the feed; a person, her agent and its child."""
    ann, provider = somebody(f"ann-{now().timestamp()}@example.org"), a_provider(f"Acme {now().isoformat()}")
    parent, child = an_agent(provider.id), an_agent(provider.id)
    here, there = (LiveGraph(node, Freshness(node), now) for node in nodes)
    await there.current()
    async with nodes[0].writing() as unit:
        await unit.subjects.add(ann)
        await unit.providers.add(provider)
        await unit.machines.add(parent)
        await unit.machines.add(child)
        await unit.edges.link(Edge(ann.id, "owner_of", parent.id, now(), BY))
        await unit.edges.link(Edge(child.id, "child_of", parent.id, now(), BY))
    assert (await here.current()).custody(child.id).custodians == (ann.id,)
    assert await _until(there, child.id, (ann.id,)) == (ann.id,)
    async with nodes[0].writing() as unit:
        await unit.subjects.save(ann.distrusted(now(), status="disabled"), expected_version=ann.version)
    assert await _until(there, child.id, ()) == ()


async def _until(graph: LiveGraph, machine: SubjectId, wanted: tuple[SubjectId, ...]) -> tuple[SubjectId, ...]:
    async with asyncio.timeout(30):
        while (found := (await graph.current()).custody(machine).custodians) != wanted:
            await asyncio.sleep(0.05)
    return found
