"""Rights that only shrink: a machine holds what it, its parents, perhaps its custodian, and its grant hold.

Everybody is asked again at every check, so that the loss of one right ends it at once.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.access.models import DEFAULT_DOMAIN, Decision
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.machines.custody import custodians
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Question:
    """One right on one object."""

    permission: str
    domain: str = DEFAULT_DOMAIN
    object_id: str = ""


class Ask(Protocol):
    """What one subject holds by itself."""

    async def __call__(
        self, subject: str, permission: str, /, *, person: bool, domain: str, object_id: str
    ) -> Decision: ...


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Who has to hold a right beside the machine itself: all of ``machines``, one of each group of ``people``."""

    machines: tuple[str, ...]
    people: tuple[tuple[str, ...], ...]
    delegation: Delegation | None


class Narrowing:
    """Narrows what a machine's own rules give."""

    def __init__(self, transactions: Transactions, ask: Ask, clock: Clock) -> None:
        self._transactions = transactions
        self._ask = ask
        self._clock = clock

    async def narrowed(
        self,
        machine_id: SubjectId,
        delegation_id: str | None,
        permission: str,
        *,
        domain: str = DEFAULT_DOMAIN,
        object_id: str = "",
    ) -> Decision:
        """What is left of a right that a machine's own rules give."""
        asked = Question(permission, domain, object_id)
        bounds = await self._bounds(machine_id, delegation_id)
        if bounds is None:
            return Decision(False, "The grant that this acts under has ended.")
        for urn in bounds.machines:
            if not await self._holds(urn, asked, person=False):
                return Decision(False, f"The machine that made this one does not hold {asked.permission}.", via="cap")
        for group in bounds.people:
            if not await self._anybody(group, asked):
                who = "Nobody who answers for this machine holds"
                return Decision(False, f"{who} {asked.permission}.", via="cap")
        given = bounds.delegation
        if given is not None and not given.allows(asked.permission, asked.domain, asked.object_id):
            return Decision(False, f"The grant does not name {asked.permission} here.", via="grant")
        if given is not None and not await self._holds(given.human, asked, person=True):
            return Decision(False, f"Whom this acts for does not hold {asked.permission}.", via="human")
        return Decision(True, "Held by all who bound it.")

    async def _bounds(self, machine_id: SubjectId, delegation_id: str | None) -> _Bounds | None:
        now = self._clock()
        async with self._transactions.reading() as unit:
            given = None
            if delegation_id is not None:
                given = await unit.delegations.get(UUID(delegation_id))
                if given is None or given.agent_id != machine_id or not given.lives(now):
                    return None
                human = await unit.subjects.get(given.human_id)
                if human is None or not human.active:
                    return None
            line = await self._line(unit, machine_id)
            people: list[tuple[str, ...]] = []
            for machine in line:
                if machine.cap == "custodian":
                    found = await custodians(unit, machine, now)
                    people.append(tuple(person.urn for person in found if person.active))
        return _Bounds(tuple(machine.urn for machine in line[1:]), tuple(dict.fromkeys(people)), given)

    async def _line(self, unit: UnitOfWork, machine_id: SubjectId) -> list[Machine]:
        """The machine, and all above it."""
        now, found, waiting = self._clock(), dict[SubjectId, Machine](), [machine_id]
        while waiting and len(found) <= _DEEPEST:
            current = waiting.pop(0)
            machine = await unit.machines.get(current)
            if machine is None or current in found:
                continue
            found[current] = machine
            waiting.extend(edge.target for edge in await unit.edges.out_of(current, "child_of") if edge.counts(now))
        return list(found.values())

    async def _anybody(self, group: tuple[str, ...], asked: Question) -> bool:
        for urn in group:
            if await self._holds(urn, asked, person=True):
                return True
        return False

    async def _holds(self, urn: str, asked: Question, *, person: bool) -> bool:
        found = await self._ask(urn, asked.permission, person=person, domain=asked.domain, object_id=asked.object_id)
        return found.allowed
