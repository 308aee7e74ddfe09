"""MachineStore and EdgeStore in plain dicts."""

from collections.abc import Callable

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.errors import Stale
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.subjects.models import SubjectId


class MemoryMachines:
    """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.machines
        self._edges = tables.edges

    async def add(self, machine: Machine) -> None:
        self._rows[machine.id] = machine

    async def save(self, machine: Machine, *, expected_version: int) -> None:
        if self._rows[machine.id].version != expected_version:
            raise Stale
        self._rows[machine.id] = machine

    async def get(self, subject_id: SubjectId) -> Machine | None:
        return self._rows.get(subject_id)

    async def page(self, wanted: MachineFilter) -> list[Machine]:
        found = [
            machine
            for machine in sorted(self._rows.values(), key=lambda machine: machine.id)
            if machine.status != "closed"
            and (wanted.status is None or machine.status == wanted.status)
            and (wanted.after is None or machine.id > wanted.after)
            and (wanted.owner is None or (wanted.owner, "owner_of", machine.id) in self._edges)
        ]
        return found[: wanted.limit]


class MemoryEdges:
    """See :class:`~au_sys_identity.core.graph.ports.EdgeStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.edges

    async def link(self, edge: Edge) -> bool:
        key = (edge.source, edge.relation, edge.target)
        if key in self._rows:
            return False
        self._rows[key] = edge
        return True

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        return self._rows.pop((source, relation, target), None) is not None

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]:
        return self._matching(lambda edge: edge.target == target and edge.relation == relation)

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]:
        return self._matching(lambda edge: edge.source == source and edge.relation == relation)

    def _matching(self, wanted: Callable[[Edge], bool]) -> list[Edge]:
        return sorted(filter(wanted, self._rows.values()), key=lambda edge: (edge.created_at, edge.source, edge.target))
