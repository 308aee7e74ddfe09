"""MachineStore and ProviderStore in plain dicts."""

from collections.abc import Collection

from au_sys_identity.adapters.memory.relations.graph import MemoryFeed, tell
from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.machines.models import Machine, Provider
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.subjects.models import Status, SubjectId


class MemoryMachines:
    """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._rows = tables.machines
        self._feed = feed

    async def add(self, machine: Machine) -> None:
        self._rows[machine.id] = machine
        await tell(self._feed, machine.id, machine.kind, machine.status, machine.provider)

    async def save(self, machine: Machine, *, expected_version: int) -> None:
        if self._rows[machine.id].version != expected_version:
            raise Stale
        await self.add(machine)

    async def get(self, subject_id: SubjectId) -> Machine | None:
        return self._rows.get(subject_id)

    async def page(self, wanted: MachineFilter) -> list[Machine]:
        found = [
            machine
            for machine in sorted(self._rows.values(), key=lambda machine: machine.id)
            if machine.status != "closed"
            and (wanted.status is None or machine.status == wanted.status)
            and wanted.q.casefold() in machine.name.casefold()
            and (wanted.kind is None or machine.kind == wanted.kind)
            and (wanted.organization_id is None or machine.organization_id == wanted.organization_id)
            and (wanted.after is None or machine.id > wanted.after)
            and (wanted.among is None or machine.id in wanted.among)
        ]
        return found[: wanted.limit]

    async def many(self, ids: Collection[SubjectId]) -> list[Machine]:
        return [self._rows[known] for known in sorted(set(ids)) if known in self._rows]

    async def of_provider(self, provider: SubjectId) -> list[Machine]:
        return [machine for machine in await self.page(MachineFilter(limit=10**9)) if machine.provider == provider]


class MemoryProviders:
    """See :class:`~au_sys_identity.core.machines.ports.ProviderStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._rows = tables.providers
        self._feed = feed

    async def add(self, provider: Provider) -> None:
        living = (known for known in self._rows.values() if known.status != "closed" and known.id != provider.id)
        if any(known.name == provider.name for known in living):
            raise Conflict("name")
        self._rows[provider.id] = provider
        await tell(self._feed, provider.id, "provider", provider.status)

    async def save(self, provider: Provider, *, expected_version: int) -> None:
        if self._rows[provider.id].version != expected_version:
            raise Stale
        await self.add(provider)

    async def get(self, subject_id: SubjectId) -> Provider | None:
        return self._rows.get(subject_id)

    async def every(self, status: Status | None = None) -> list[Provider]:
        wanted = (one for one in self._rows.values() if (one.status == status if status else one.status != "closed"))
        return sorted(wanted, key=lambda known: (known.name, known.id))
