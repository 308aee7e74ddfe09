"""What becomes of the machines of a person who leaves: somebody takes them over, or they stop."""

from dataclasses import dataclass
from datetime import datetime

from au_sys_identity.core.errors import HasDependents, InvalidInput
from au_sys_identity.core.events import Fact
from au_sys_identity.core.graph.models import RELATIONS, Edge
from au_sys_identity.core.machines.custody import orphaned_by
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId

_FIX = "Name a successor, or stop them with cascade=stop."


@dataclass(frozen=True, slots=True)
class Heirs:
    """Who takes over custody; without a successor, ``stop`` disables what nobody else answers for."""

    successor: SubjectId | None = None
    stop: bool = False


async def forget_edges(unit: UnitOfWork, subject: SubjectId) -> None:
    """Take every edge away at a subject that is closed."""
    for relation in RELATIONS:
        for edge in [*await unit.edges.out_of(subject, relation), *await unit.edges.into(subject, relation)]:
            await unit.edges.unlink(edge.source, edge.relation, edge.target)


async def settle_custody(unit: UnitOfWork, leaving: Person, heirs: Heirs, *, by: str, now: datetime) -> None:
    """Hand over or stop the machines that only the person who leaves answers for.

    Raises:
        HasDependents: neither was asked for.
        InvalidInput: the successor is no other active person.
    """
    orphans = await orphaned_by(unit, leaving.id, now)
    owned = await unit.edges.out_of(leaving.id, "owner_of")
    if heirs.successor is not None:
        heir = await unit.subjects.get(heirs.successor)
        if heir is None or not heir.active or heir.id == leaving.id:
            raise InvalidInput("successor", "is not another active person", "Name somebody who stays.")
        for edge in owned:
            await unit.edges.link(Edge(heir.id, "owner_of", edge.target, now, by))
        for machine in orphans:
            unit.record(Fact("custody.transferred", by, machine.urn, details={"from": leaving.urn, "to": heir.urn}))
    elif orphans and not heirs.stop:
        raise HasDependents(tuple(machine.urn for machine in orphans), _FIX)
    else:
        for machine in [known for known in orphans if known.active]:
            stopped = machine.turned("disabled", now, reason="its custodian left")
            await unit.machines.save(stopped, expected_version=machine.version)
            unit.record(Fact("machine.disabled", by, machine.urn, reason="its custodian left"))
    await forget_edges(unit, leaving.id)
