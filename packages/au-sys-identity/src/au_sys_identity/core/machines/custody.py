"""Every machine answers to someone: who that is, and who would be left alone.

The persons who own a machine are its custodians together. Without an active one it is refused everything.
"""

from datetime import datetime

from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.machines.models import KnownMachine, Machine
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId


async def known_machine(unit: UnitOfWork, machine_id: SubjectId | None, now: datetime) -> KnownMachine:
    """A machine with its custodians.

    Raises:
        NotFound: there is none, or it is closed.
    """
    machine = await unit.machines.get(machine_id) if machine_id else None
    if machine is None or machine.status == "closed":
        raise NotFound("machine")
    return KnownMachine(machine, await custodians(unit, machine, now))


async def custodians(unit: UnitOfWork, machine: Machine, now: datetime) -> tuple[Person, ...]:
    """The persons who own a machine, active or not."""
    edges = [edge for edge in await unit.edges.into(machine.id, "owner_of") if edge.counts(now)]
    return tuple(await unit.subjects.many([edge.source for edge in edges]))


async def orphaned_by(unit: UnitOfWork, person: Person, now: datetime) -> list[Machine]:
    """Machines that nobody active would answer for without this person."""
    orphans = []
    for edge in await unit.edges.out_of(person.id, "owner_of"):
        machine = await unit.machines.get(edge.target)
        if machine is None or machine.status == "closed" or not edge.counts(now):
            continue
        others = [other for other in await custodians(unit, machine, now) if other.id != person.id]
        if not any(other.active for other in others):
            orphans.append(machine)
    return orphans
