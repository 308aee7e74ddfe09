"""MachineStore: find and save machines."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.machines.models import Machine, Provider
from au_sys_identity.core.subjects.models import Status, SubjectId, SubjectKind


@dataclass(frozen=True, slots=True)
class MachineFilter:
    """Which machines to list: ``q`` is part of the name, ``among`` leaves those of the ids; ``after`` is the last id of
    the page before.
    """

    q: str = ""
    status: Status | None = None
    kind: SubjectKind | None = None
    organization_id: UUID | None = None
    among: frozenset[SubjectId] | None = None
    after: SubjectId | None = None
    limit: int = 50


class MachineStore(Protocol):
    """Machines by id. Closed ones stay as tombstones."""

    async def add(self, machine: Machine) -> None: ...

    async def save(self, machine: Machine, *, expected_version: int) -> None:
        """Replace a machine.

        Raises:
            Stale: the stored version is another one.
        """

    async def get(self, subject_id: SubjectId) -> Machine | None: ...

    async def page(self, wanted: MachineFilter) -> list[Machine]:
        """Machines that are not closed, in the order of their ids."""

    async def many(self, ids: Collection[SubjectId]) -> list[Machine]: ...

    async def of_provider(self, provider: SubjectId) -> list[Machine]:
        """Machines that name a provider and are not closed."""


class ProviderStore(Protocol):
    """AI providers. Closed ones stay as tombstones. No two that are not closed share a name."""

    async def add(self, provider: Provider) -> None:
        """Keep a new provider.

        Raises:
            Conflict: the name is taken.
        """

    async def save(self, provider: Provider, *, expected_version: int) -> None:
        """Replace a provider.

        Raises:
            Stale: the stored version is another one.
            Conflict: the new name is taken.
        """

    async def get(self, subject_id: SubjectId) -> Provider | None: ...

    async def every(self, status: Status | None = None) -> list[Provider]:
        """All that are not closed, by name."""
