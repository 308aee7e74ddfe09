"""FeedStore, EdgeStore and NameStore in plain dicts."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.freshness import ACCESS, GRAPH
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.graph.ports import FeedEntry, Link
from au_sys_identity.core.subjects.models import Named, Status, SubjectId, SubjectKind
from au_sys_identity.core.subjects.ports import Standing


class MemoryFeed:
    """See :class:`~au_sys_identity.core.graph.ports.FeedStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.raised = False

    async def append(self, topic: str, operation: str, payload: Mapping[str, str | int | bool | None]) -> int:
        self.raised = True
        version = self._tables.versions.get(topic, 1) + 1
        self._tables.versions[topic] = version
        self._tables.feed[topic, version] = (FeedEntry(topic, version, operation, dict(payload)), datetime.now(UTC))
        return version

    async def hold(self, topic: str) -> int:
        return self._tables.versions.get(topic, 0)

    async def since(self, topic: str, version: int) -> list[FeedEntry] | None:
        wanted = range(version + 1, self._tables.versions.get(topic, 0) + 1)
        found = [kept[0] for number in wanted if (kept := self._tables.feed.get((topic, number)))]
        return found if len(found) == len(wanted) else None

    async def forget_before(self, moment: datetime) -> int:
        old = [key for key, (_entry, at) in self._tables.feed.items() if at < moment]
        for key in old:
            del self._tables.feed[key]
        return len(old)


async def tell(
    feed: MemoryFeed, subject: SubjectId, kind: SubjectKind, status: Status, provider: SubjectId | None = None
) -> None:
    """Say in the feed how a subject stands."""
    told = {"id": str(subject), "kind": kind, "status": status, "provider": str(provider) if provider else None}
    await feed.append(GRAPH, "subject", told)


class MemoryNames:
    """See :class:`~au_sys_identity.core.subjects.ports.NameStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, subject_id: SubjectId) -> Named | None:
        return self._all().get(subject_id)

    async def many(self, ids: Collection[SubjectId]) -> Mapping[SubjectId, Named]:
        known = self._all()
        return {wanted: known[wanted] for wanted in ids if wanted in known}

    async def every(self) -> AsyncIterator[Sequence[Standing]]:
        agents = {machine.id: machine.provider for machine in self._tables.machines.values()}
        yield [
            Standing(known.id, known.kind, known.status, agents.get(known.id))
            for known in self._all().values()
            if known.status != "closed"
        ]

    def _all(self) -> dict[SubjectId, Named]:
        tables = self._tables
        people = [Named(one.id, "person", one.display_name, one.status) for one in tables.persons.values()]
        machines = [
            Named(one.id, one.kind, one.name, one.status, one.organization_id) for one in tables.machines.values()
        ]
        providers = [Named(one.id, "provider", one.name, one.status) for one in tables.providers.values()]
        groups = [Named(one.id, "group", one.name, one.status, one.organization_id) for one in tables.groups.values()]
        return {known.id: known for known in (*people, *machines, *providers, *groups)}


class MemoryEdges:
    """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._rows = tables.edges
        self._feed = feed

    async def link(self, edge: Edge) -> bool:
        key = (edge.source, edge.relation, edge.target)
        if key in self._rows:
            return False
        self._rows[key] = edge
        end = edge.expires_at.isoformat() if edge.expires_at else None
        await self._feed.append(GRAPH, "link", {**_ends(*key), "end": end})
        if edge.relation == "member_of":
            await self._feed.append(ACCESS, "joined", {**_ends(*key), "end": end})
        return True

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        if self._rows.pop((source, relation, target), None) is None:
            return False
        await self._feed.append(GRAPH, "unlink", _ends(source, relation, target))
        if relation == "member_of":
            await self._feed.append(ACCESS, "left", _ends(source, relation, target))
        return True

    async def get(self, source: SubjectId, relation: Relation, target: SubjectId) -> Edge | None:
        return self._rows.get((source, relation, target))

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]:
        return await self.entering([target], relation)

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]:
        return await self.leaving([source], relation)

    async def leaving(self, sources: Collection[SubjectId], relation: Relation) -> list[Edge]:
        return _sorted([edge for edge in self._rows.values() if edge.source in sources and edge.relation == relation])

    async def entering(self, targets: Collection[SubjectId], relation: Relation) -> list[Edge]:
        return _sorted([edge for edge in self._rows.values() if edge.target in targets and edge.relation == relation])

    async def every(self) -> AsyncIterator[Sequence[Link]]:
        yield [(edge.source, edge.relation, edge.target, edge.expires_at) for edge in self._rows.values()]

    async def forget_before(self, moment: datetime) -> int:
        old = [edge for edge in self._rows.values() if edge.expires_at and edge.expires_at < moment]
        return len([edge for edge in old if await self.unlink(edge.source, edge.relation, edge.target)])


def _sorted(found: list[Edge]) -> list[Edge]:
    return sorted(found, key=lambda edge: (edge.created_at, edge.source, edge.target))


def _ends(source: SubjectId, relation: Relation, target: SubjectId) -> dict[str, str | int | bool | None]:
    return {"source": str(source), "relation": relation, "target": str(target)}
