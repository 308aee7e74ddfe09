"""Service accounts and AI agents: made with their custodian, changed, closed."""

import unicodedata
from dataclasses import dataclass, replace
from uuid import UUID

from au_sys_identity.core.errors import HasDependents, InvalidInput, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.graph.linking import checked_edge
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.graph.traversal import machines_below
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.custody import known_machine, many_with_custodians, orphaned_by, with_custodians
from au_sys_identity.core.machines.models import Cap, KnownMachine, Machine, MachineMfa
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.machines.succession import forget_edges
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import MACHINES, ActingKind, Status, SubjectId, SubjectKind
from au_sys_identity.core.subjects.names import display_name

_LONGEST_PURPOSE = 500
_MOST_MODELS = 50
_LONGEST_MODEL = 120
_AGENTS_PROVE = MachineMfa("human_delegated", "irreversible")


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """What makes a machine an AI agent: who hosts which models, where it came from and where it runs."""

    provider: SubjectId | None
    model_names: tuple[str, ...]
    provenance: str = ""
    hosting: str = ""


@dataclass(frozen=True, slots=True)
class MachineNew:
    """A machine to make; with a ``spec`` it is an AI agent."""

    name: str
    purpose: str
    custodian: SubjectId | None
    organization_id: UUID = DEFAULT_ORGANIZATION
    spec: AgentSpec | None = None
    parent: SubjectId | None = None
    mfa: MachineMfa | None = None
    cap: Cap | None = None

    def as_agent(self, spec: AgentSpec, parent: SubjectId | None, cap: Cap | None) -> "MachineNew":
        """The same as an AI agent."""
        return replace(self, spec=spec, parent=parent, cap=cap)

    @property
    def kind(self) -> ActingKind:
        """``agent`` or ``app``."""
        return "agent" if self.spec else "app"


@dataclass(frozen=True, slots=True)
class MachineChange:
    """What may be changed; ``None`` leaves a field as it is."""

    name: str | None = None
    purpose: str | None = None
    status: Status | None = None
    status_reason: str | None = None
    cap: Cap | None = None
    provider: SubjectId | None = None
    model_names: tuple[str, ...] | None = None


class Machines:
    """Machines. Who may ask is the caller's question; what may be is answered here."""

    def __init__(self, transactions: Transactions, graph: LiveGraph, clock: Clock) -> None:
        self._transactions = transactions
        self._graph = graph
        self._clock = clock

    async def left_behind(self, person: SubjectId) -> list[Machine]:
        """Those that nobody would answer for if a person left."""
        async with self._transactions.reading() as unit:
            return await orphaned_by(unit, person, self._clock())

    async def create(self, wanted: MachineNew, *, by: str) -> KnownMachine:
        """Make a machine together with the edge to the person who answers for it.

        Raises:
            InvalidInput: a field breaks a rule, or the custodian is no active person.
            Cycle, GraphTooDeep: the parent cannot have it.
        """
        now = self._clock()
        spec = wanted.spec
        agent = spec is not None
        machine = Machine(
            SubjectId(uuid7()),
            wanted.kind,
            display_name(wanted.name, "name"),
            _text(wanted.purpose, "purpose"),
            "active",
            now,
            now,
            mfa=wanted.mfa or (_AGENTS_PROVE if agent else MachineMfa()),
            cap=wanted.cap or ("custodian" if agent else "none"),
            organization_id=wanted.organization_id,
        )
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(wanted.custodian) if wanted.custodian else None
            if person is None or not person.active:
                raise InvalidInput("custodian", "is not an active person", "Name a person who answers for it.")
            if spec is not None:
                machine = await _specified(unit, machine, spec)
            await unit.machines.add(machine)
            await unit.edges.link(Edge(person.id, "owner_of", machine.id, now, by))
            if wanted.parent is not None:
                parent = await unit.machines.get(wanted.parent)
                if parent is None or parent.status == "closed" or parent.kind not in MACHINES:
                    raise InvalidInput("parent", "is no machine", "Name a service account or an agent.")
                await unit.edges.link(await checked_edge(unit, Edge(machine.id, "child_of", parent.id, now, by), now))
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("machine.created", by, machine.urn, details={"custodian": person.urn}))
            return await with_custodians(unit, machine, now)

    async def get(self, machine_id: SubjectId | None, kind: SubjectKind | None = None) -> KnownMachine:
        """A machine that is not closed, with its custodians.

        Raises:
            NotFound: there is none of that kind.
        """
        async with self._transactions.reading() as unit:
            return await known_machine(unit, machine_id, self._clock(), kind)

    async def page(self, wanted: MachineFilter, *, answered_by: SubjectId | None = None) -> list[KnownMachine]:
        """Machines in the order of their ids; ``answered_by`` leaves those that a person is a custodian of."""
        now = self._clock()
        index = await self._graph.current()
        if answered_by is not None:
            below = machines_below(index, answered_by)
            own = frozenset(one for one in below if answered_by in index.custody(one).custodians)
            wanted = replace(wanted, among=own)
        async with self._transactions.reading() as unit:
            return await many_with_custodians(unit, await unit.machines.page(wanted), index, now)

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
                purpose=machine.purpose if change.purpose is None else _text(change.purpose, "purpose"),
                cap=change.cap or machine.cap,
                version=machine.version + 1,
                updated_at=now,
            )
            if change.provider is not None or change.model_names is not None:
                changed = await _respecified(unit, changed, change)
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
        """Close a machine for ever: a tombstone stays, its keys, roles and edges are gone.

        Raises:
            NotFound: there is none.
            HasDependents: it has children that are not closed.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            machine = (await known_machine(unit, machine_id, now)).machine
            below = [edge.source for edge in await unit.edges.into(machine.id, "child_of")]
            children = [child.urn for child in await unit.machines.many(below) if child.status != "closed"]
            if children:
                raise HasDependents(tuple(children), "Close its children first, or unlink them.")
            await unit.api_keys.revoke_all(machine.id, at=now)
            for held in await unit.grants.of_subject(machine.urn):
                await unit.grants.withdraw(held.subject, held.role, held.domain)
            await forget_edges(unit, machine.id)
            await unit.machines.save(machine.turned("closed", now), expected_version=machine.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("machine.closed", by, machine.urn))


async def _respecified(unit: UnitOfWork, machine: Machine, change: MachineChange) -> Machine:
    if machine.kind != "agent":
        raise InvalidInput("model_spec", "is for AI agents", "Leave it out for a service account.")
    names = machine.model_names if change.model_names is None else change.model_names
    spec = AgentSpec(change.provider or machine.provider, names, machine.provenance, machine.hosting)
    return await _specified(unit, machine, spec)


async def _specified(unit: UnitOfWork, machine: Machine, spec: AgentSpec) -> Machine:
    provider = await unit.providers.get(spec.provider) if spec.provider else None
    if provider is None or provider.status != "active":
        raise InvalidInput("provider", "is not an active provider", "GET /iam/ai-providers lists them.")
    names = tuple(_text(name, "model_spec.names", _LONGEST_MODEL) for name in spec.model_names)
    if not names or len(names) > _MOST_MODELS:
        raise InvalidInput("model_spec.names", f"must have 1 to {_MOST_MODELS} names", "Name the models that it uses.")
    if any("*" in name[:-1] for name in names):
        raise InvalidInput("model_spec.names", "has a * inside", "A * may stand at the end only.")
    return replace(
        machine,
        provider=provider.id,
        model_names=names,
        provenance=_text(spec.provenance, "provenance") if spec.provenance else "",
        hosting=_text(spec.hosting, "hosting", 200) if spec.hosting else "",
    )


def _action(before: Machine, after: Machine) -> str:
    if before.status == after.status:
        return "machine.changed"
    return "machine.enabled" if after.active else "machine.disabled"


def _text(text: str, field: str, longest: int = _LONGEST_PURPOSE) -> str:
    purpose = unicodedata.normalize("NFC", text).strip()
    if not purpose or len(purpose) > longest:
        raise InvalidInput(field, f"must have 1 to {longest} characters", "Shorten it or fill it in.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in purpose):
        raise InvalidInput(field, "contains control characters", "Use letters, digits, spaces and punctuation.")
    return purpose
