"""MachineStore: find and save machines."""

from dataclasses import dataclass
from typing import Protocol

from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.subjects.models import Status, SubjectId


@dataclass(frozen=True, slots=True)
class MachineFilter:
    """Which machines to list: ``owner`` leaves a person's own; ``after`` is the last id of the page before."""

    owner: SubjectId | None = None
    status: Status | None = None
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
