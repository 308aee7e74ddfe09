"""MachineStore and EdgeStore on SQL."""

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import edges, machines, subjects
from au_sys_identity.core.errors import Stale
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.subjects.models import SubjectId


def _selected() -> Select[tuple[object, ...]]:
    return select(
        subjects.c.id,
        subjects.c.kind,
        subjects.c.name,
        subjects.c.status,
        subjects.c.status_reason,
        subjects.c.epoch,
        subjects.c.version,
        subjects.c.created_at,
        subjects.c.updated_at,
        machines.c.purpose,
    ).join(machines, machines.c.subject_id == subjects.c.id)


def _machine(row: Row[tuple[object, ...]]) -> Machine:
    return Machine(
        id=row.id,
        kind=row.kind,
        name=row.name,
        purpose=row.purpose,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status_reason=row.status_reason,
        epoch=row.epoch,
        version=row.version,
    )


class SqlMachines:
    """Machines in the tables ``subjects`` and ``machines``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, machine: Machine) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        await self._session.execute(
            insert(subjects).values(
                id=machine.id,
                kind=machine.kind,
                urn=machine.urn,
                created_at=machine.created_at,
                **_shared(machine),
            )
        )
        await self._session.execute(insert(machines).values(subject_id=machine.id, purpose=machine.purpose))

    async def save(self, machine: Machine, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        changed = await self._session.execute(
            update(subjects)
            .where(subjects.c.id == machine.id, subjects.c.version == expected_version)
            .values(**_shared(machine))
            .returning(subjects.c.id)
        )
        if changed.first() is None:
            raise Stale
        await self._session.execute(
            update(machines).where(machines.c.subject_id == machine.id).values(purpose=machine.purpose)
        )

    async def get(self, subject_id: SubjectId) -> Machine | None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        row = (await self._session.execute(_selected().where(subjects.c.id == subject_id))).first()
        return _machine(row) if row else None

    async def page(self, wanted: MachineFilter) -> list[Machine]:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        query = _selected().where(subjects.c.status != "closed")
        if wanted.status:
            query = query.where(subjects.c.status == wanted.status)
        if wanted.after:
            query = query.where(subjects.c.id > wanted.after)
        if wanted.owner:
            owned = select(edges.c.target_id).where(edges.c.source_id == wanted.owner, edges.c.relation == "owner_of")
            query = query.where(subjects.c.id.in_(owned))
        rows = await self._session.execute(query.order_by(subjects.c.id).limit(wanted.limit))
        return [_machine(row) for row in rows]


class SqlEdges:
    """The table ``edges``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def link(self, edge: Edge) -> bool:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(edges).values(
                        id=uuid7(),
                        source_id=edge.source,
                        relation=edge.relation,
                        target_id=edge.target,
                        created_at=edge.created_at,
                        created_by=edge.created_by,
                        expires_at=edge.expires_at,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        removed = await self._session.execute(
            delete(edges)
            .where(edges.c.source_id == source, edges.c.relation == relation, edges.c.target_id == target)
            .returning(edges.c.id)
        )
        return removed.first() is not None

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        return await self._edges(select(edges).where(edges.c.target_id == target, edges.c.relation == relation))

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]:
        """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""
        return await self._edges(select(edges).where(edges.c.source_id == source, edges.c.relation == relation))

    async def _edges(self, wanted: Select[tuple[object, ...]]) -> list[Edge]:
        rows = await self._session.execute(wanted.order_by(edges.c.created_at, edges.c.source_id, edges.c.target_id))
        return [
            Edge(row.source_id, row.relation, row.target_id, row.created_at, row.created_by, row.expires_at)
            for row in rows
        ]


def _shared(machine: Machine) -> dict[str, object]:
    return {
        "name": machine.name,
        "status": machine.status,
        "status_reason": machine.status_reason,
        "epoch": machine.epoch,
        "version": machine.version,
        "updated_at": machine.updated_at,
    }
