"""Service accounts: made with their custodian, changed, closed."""

import unicodedata
from dataclasses import dataclass, replace

from au_sys_identity.core.errors import InvalidInput, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, SUBJECTS
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.custody import known_machine
from au_sys_identity.core.machines.models import KnownMachine, Machine
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import Status, SubjectId
from au_sys_identity.core.subjects.names import display_name

_LONGEST_PURPOSE = 500


@dataclass(frozen=True, slots=True)
class MachineChange:
    """What may be changed; ``None`` leaves a field as it is."""

    name: str | None = None
    purpose: str | None = None
    status: Status | None = None
    status_reason: str | None = None


class Machines:
    """Service accounts. Who may ask is the caller's question; what may be is answered here."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def create(self, name: str, purpose: str, *, custodian: SubjectId | None, by: str) -> KnownMachine:
        """Make a service account together with the edge to the person who answers for it.

        Raises:
            InvalidInput: a field breaks a rule, or the custodian is no active person.
        """
        now = self._clock()
        machine = Machine(SubjectId(uuid7()), "app", display_name(name, "name"), _purpose(purpose), "active", now, now)
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(custodian) if custodian else None
            if person is None or not person.active:
                raise InvalidInput("custodian", "is not an active person", "Name a person who answers for it.")
            await unit.machines.add(machine)
            await unit.edges.link(Edge(person.id, "owner_of", machine.id, now, by))
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("machine.created", by, machine.urn, details={"custodian": person.urn}))
        return KnownMachine(machine, (person,))

    async def get(self, machine_id: SubjectId | None) -> KnownMachine:
        """A machine that is not closed, with its custodians.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            return await known_machine(unit, machine_id, self._clock())

    async def page(self, wanted: MachineFilter) -> list[KnownMachine]:
        """Machines in the order of their ids."""
        now = self._clock()
        async with self._transactions.reading() as unit:
            return [await known_machine(unit, machine.id, now) for machine in await unit.machines.page(wanted)]

    async def change(
        self, machine_id: SubjectId | None, change: MachineChange, *, by: str, expected_version: int | None = None
    ) -> KnownMachine:
        """Change a machine. Disabled, its keys are refused from the next request on.

        Raises:
            NotFound, Stale, InvalidInput: nothing is changed.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            known = await known_machine(unit, machine_id, now)
            machine = known.machine
            if expected_version is not None and machine.version != expected_version:
                raise Stale
            changed = replace(
                machine,
                name=machine.name if change.name is None else display_name(change.name, "name"),
                purpose=machine.purpose if change.purpose is None else _purpose(change.purpose),
                version=machine.version + 1,
                updated_at=now,
            )
            if change.status is not None and change.status != machine.status:
                turned = changed.turned(change.status, now, reason=change.status_reason)
                changed = replace(turned, version=machine.version + 1)
            elif change.status_reason is not None:
                changed = replace(changed, status_reason=change.status_reason)
            await unit.machines.save(changed, expected_version=machine.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact(_action(machine, changed), by, machine.urn, reason=change.status_reason or ""))
        return replace(known, machine=changed)

    async def close(self, machine_id: SubjectId | None, *, by: str) -> None:
        """Close a machine for ever: a tombstone stays, its keys and roles are gone.

        Raises:
            NotFound: there is none.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            machine = (await known_machine(unit, machine_id, now)).machine
            await unit.api_keys.revoke_all(machine.id, at=now)
            for held in await unit.grants.of_subject(machine.urn):
                await unit.grants.withdraw(held.subject, held.role, held.domain)
            await unit.machines.save(machine.turned("closed", now), expected_version=machine.version)
            await unit.versions.raise_topic(SUBJECTS)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("machine.closed", by, machine.urn))


def _action(before: Machine, after: Machine) -> str:
    if before.status == after.status:
        return "machine.changed"
    return "machine.enabled" if after.active else "machine.disabled"


def _purpose(text: str) -> str:
    purpose = unicodedata.normalize("NFC", text).strip()
    if not purpose or len(purpose) > _LONGEST_PURPOSE:
        raise InvalidInput("purpose", f"must have 1 to {_LONGEST_PURPOSE} characters", "Say what the program is for.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in purpose):
        raise InvalidInput("purpose", "contains control characters", "Use letters, digits, spaces and punctuation.")
    return purpose
