"""EdgeStore and NameStore on SQL, and the row that every kind of subject has."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.tables import edges, machines, subjects
from au_sys_identity.core.errors import Stale
from au_sys_identity.core.freshness import ACCESS, GRAPH
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.graph.ports import Link
from au_sys_identity.core.subjects.models import Named, Status, SubjectId, SubjectKind, subject_urn
from au_sys_identity.core.subjects.ports import Standing

_MOST_AT_ONCE = 500
_PORTION = 2000


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """What the table ``subjects`` keeps of any kind."""

    id: SubjectId
    kind: SubjectKind
    name: str
    status: Status
    created_at: datetime
    updated_at: datetime
    version: int
    epoch: int = 1
    status_reason: str | None = None
    organization_id: UUID | None = None
    provider: SubjectId | None = None

    def values(self) -> dict[str, object]:
        """The columns that change."""
        return {
            "name": self.name,
            "status": self.status,
            "status_reason": self.status_reason,
            "epoch": self.epoch,
            "version": self.version,
            "updated_at": self.updated_at,
            "organization_id": self.organization_id,
        }


async def add_subject(session: AsyncSession, feed: SqlFeed, row: SubjectRow) -> None:
    """Insert a subject; every process learns of it."""
    await tell(feed, row.id, row.kind, row.status, row.provider)
    urn = subject_urn(row.kind, row.id)
    made = insert(subjects).values(id=row.id, kind=row.kind, urn=urn, created_at=row.created_at, **row.values())
    await session.execute(made)


async def save_subject(session: AsyncSession, feed: SqlFeed, row: SubjectRow, *, expected_version: int) -> None:
    """Update a subject; every process learns of it.

    Raises:
        Stale: the stored version is another one.
    """
    await tell(feed, row.id, row.kind, row.status, row.provider)  # first: all writers queue in the same order
    changed = await session.execute(
        update(subjects)
        .where(subjects.c.id == row.id, subjects.c.version == expected_version)
        .values(**row.values())
        .returning(subjects.c.id)
    )
    if changed.first() is None:
        raise Stale


async def tell(
    feed: SqlFeed, subject: SubjectId, kind: SubjectKind, status: Status, provider: SubjectId | None = None
) -> None:
    """Say in the feed how a subject stands."""
    told = {"id": str(subject), "kind": kind, "status": status, "provider": str(provider) if provider else None}
    await feed.append(GRAPH, "subject", told)


def in_parts(ids: Collection[SubjectId]) -> Iterator[Sequence[SubjectId]]:
    """Ids in portions that one statement takes."""
    listed = list(ids)
    return (listed[start : start + _MOST_AT_ONCE] for start in range(0, len(listed), _MOST_AT_ONCE))


class SqlNames:
    """The table ``subjects``, whatever the kind."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, subject_id: SubjectId) -> Named | None:
        """See :class:`~au_sys_identity.core.subjects.ports.NameStore`."""
        return (await self.many([subject_id])).get(subject_id)

    async def many(self, ids: Collection[SubjectId]) -> Mapping[SubjectId, Named]:
        """See :class:`~au_sys_identity.core.subjects.ports.NameStore`."""
        found: dict[SubjectId, Named] = {}
        for part in in_parts(ids):
            rows = await self._session.execute(select(subjects).where(subjects.c.id.in_(part)))
            found |= {row.id: Named(row.id, row.kind, row.name, row.status, row.organization_id) for row in rows}
        return found

    async def every(self) -> AsyncIterator[Sequence[Standing]]:
        """See :class:`~au_sys_identity.core.subjects.ports.NameStore`."""
        wanted = (
            select(subjects.c.id, subjects.c.kind, subjects.c.status, machines.c.provider_id)
            .join(machines, machines.c.subject_id == subjects.c.id, isouter=True)
            .where(subjects.c.status != "closed")
        )
        async for portion in (await self._session.stream(wanted)).partitions(_PORTION):
            yield [Standing(*row) for row in portion]


class SqlEdges:
    """The table ``edges``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed

    async def link(self, edge: Edge) -> bool:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        await self._feed.hold(GRAPH)
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(edges).values(
                        id=edge.id,
                        source_id=edge.source,
                        relation=edge.relation,
                        target_id=edge.target,
                        attributes_enc=edge.sealed,
                        created_at=edge.created_at,
                        created_by=edge.created_by,
                        expires_at=edge.expires_at,
                    )
                )
        except IntegrityError:
            return False
        end = edge.expires_at.isoformat() if edge.expires_at else None
        told = {**_ends(edge.source, edge.relation, edge.target), "end": end}
        await self._feed.append(GRAPH, "link", told)
        if edge.relation == "member_of":
            await self._feed.append(ACCESS, "joined", told)
        return True

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        await self._feed.hold(GRAPH)
        removed = await self._session.execute(
            delete(edges)
            .where(edges.c.source_id == source, edges.c.relation == relation, edges.c.target_id == target)
            .returning(edges.c.id)
        )
        if removed.first() is None:
            return False
        await self._feed.append(GRAPH, "unlink", _ends(source, relation, target))
        if relation == "member_of":
            await self._feed.append(ACCESS, "left", _ends(source, relation, target))
        return True

    async def get(self, source: SubjectId, relation: Relation, target: SubjectId) -> Edge | None:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        wanted = select(edges).where(edges.c.source_id == source, edges.c.target_id == target)
        return next(iter(await self._edges(wanted.where(edges.c.relation == relation))), None)

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        return await self.entering([target], relation)

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        return await self.leaving([source], relation)

    async def leaving(self, sources: Collection[SubjectId], relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        found: list[Edge] = []
        for part in in_parts(sources):
            found += await self._edges(select(edges).where(edges.c.source_id.in_(part), edges.c.relation == relation))
        return found

    async def entering(self, targets: Collection[SubjectId], relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        found: list[Edge] = []
        for part in in_parts(targets):
            found += await self._edges(select(edges).where(edges.c.target_id.in_(part), edges.c.relation == relation))
        return found

    async def every(self) -> AsyncIterator[Sequence[Link]]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        wanted = select(edges.c.source_id, edges.c.relation, edges.c.target_id, edges.c.expires_at)
        async for portion in (await self._session.stream(wanted)).partitions(_PORTION):
            yield [(row.source_id, row.relation, row.target_id, row.expires_at) for row in portion]

    async def forget_before(self, moment: datetime) -> int:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        old = await self._edges(select(edges).where(edges.c.expires_at < moment).limit(_PORTION))
        return len([edge for edge in old if await self.unlink(edge.source, edge.relation, edge.target)])

    async def _edges(self, wanted: Select[tuple[object, ...]]) -> list[Edge]:
        rows = await self._session.execute(wanted.order_by(edges.c.created_at, edges.c.source_id, edges.c.target_id))
        return [_edge(row) for row in rows]


def _edge(row: Row[tuple[object, ...]]) -> Edge:
    return Edge(
        source=row.source_id,
        relation=row.relation,
        target=row.target_id,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        sealed=row.attributes_enc,
        id=row.id,
    )


def _ends(source: SubjectId, relation: Relation, target: SubjectId) -> dict[str, str | int | bool | None]:
    return {"source": str(source), "relation": relation, "target": str(target)}
