"""Stop what answers to somebody, let it go on, hand it over: each in one act, with a preview."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.graph.errors import LastCustodian
from au_sys_identity.core.graph.linking import checked_edge
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.graph.traversal import machines_below
from au_sys_identity.core.machines.custody import custodians, orphaned_by
from au_sys_identity.core.machines.custody import machines_below as stored_below
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import MACHINES, Named, Person, SubjectId

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """Who answers for a subject, and what answers to it."""

    subject: Named
    custodians: tuple[Person, ...]
    living: bool
    machines: tuple[Machine, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act does, or would do."""

    changed: tuple[Machine, ...] = ()
    others: tuple[tuple[Machine, tuple[Person, ...]], ...] = field(default=())
    """What goes on as it was, and who answers for it."""


class Stopping:
    """The kill switch. Who may press it is the caller's question."""

    def __init__(self, transactions: Transactions, graph: LiveGraph, letters: LetterBox, clock: Clock) -> None:
        self._transactions = transactions
        self._graph = graph
        self._letters = letters
        self._clock = clock

    async def standing(self, subject: SubjectId | None) -> Standing:
        """Who answers for a machine, and what answers to anybody.

        Raises:
            NotFound: there is no such subject.
        """
        index = await self._graph.current()
        async with self._transactions.reading() as unit:
            named = await _named(unit, subject)
            custody = index.custody(named.id)
            people = await unit.subjects.many(custody.custodians)
            below = await unit.machines.many(machines_below(index, named.id))
            living = custody.living if named.kind in MACHINES else named.active
        return Standing(named, tuple(people), living, tuple(below))

    async def stop(
        self, subject: SubjectId | None, *, by: str, reason: str, everything: bool = False, preview: bool = False
    ) -> Effect:
        """Disable every machine whose custody ends with a subject; with ``everything`` all below it. A machine is
        stopped itself, and its children with it.

        Raises:
            NotFound: there is no such subject.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            named = await _named(unit, subject)
            below = await stored_below(unit, named.id, now)
            machine = named.kind in MACHINES
            ending = below if everything or machine else await orphaned_by(unit, named.id, now, among=below)
            itself = await unit.machines.many([named.id]) if machine else []
            stops = [one for one in (*itself, *ending) if one.active]
            ids = {one.id for one in (*itself, *ending)}
            lives_on = [(one, await custodians(unit, one, now)) for one in below if one.id not in ids and one.active]
            if not preview:
                for one in stops:
                    stopped = replace(one.turned("disabled", now, reason=_reason(reason)), stopped_with=named.id)
                    await unit.machines.save(stopped, expected_version=one.version)
                    unit.record(Fact("machine.disabled", by, one.urn, reason=reason, details={"with": named.urn}))
                await unit.versions.raise_topic(SUBJECTS)
        return Effect(tuple(stops), tuple(lives_on))

    async def resume(self, subject: SubjectId | None, *, by: str, preview: bool = False) -> Effect:
        """Enable again what was stopped with a subject; a machine that is named itself, whatever stopped it.

        Raises:
            NotFound: there is no such subject.
            LastCustodian: nobody who is active answers for any of them.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            named = await _named(unit, subject)
            itself = await unit.machines.many([named.id]) if named.kind in MACHINES else []
            below = [one for one in await stored_below(unit, named.id, now) if one.stopped_with == named.id]
            waiting = [one for one in (*itself, *below) if one.status == "disabled"]
            held = [(one, await custodians(unit, one, now)) for one in waiting]
            able = [one for one, people in held if any(person.active for person in people)]
            if waiting and not able:
                raise LastCustodian(tuple(one.urn for one in waiting))
            if not preview:
                for one in able:
                    await unit.machines.save(one.turned("active", now), expected_version=one.version)
                    unit.record(Fact("machine.enabled", by, one.urn, details={"with": named.urn}))
                await unit.versions.raise_topic(SUBJECTS)
        return Effect(tuple(able), tuple(pair for pair in held if pair[0] not in able))

    async def transfer(
        self, subject: SubjectId | None, to: SubjectId | None, *, by: str, reason: str, preview: bool = False
    ) -> Effect:
        """Let an active person answer for a machine, or for everything that a person answers for. They are told.

        Raises:
            NotFound: there is no such subject.
            InvalidInput: ``to`` is no other active person.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            named = await _named(unit, subject)
            heir = await unit.subjects.get(to) if to else None
            if heir is None or not heir.active or heir.id == named.id:
                raise InvalidInput("to", "is not another active person", "Name somebody who takes over.")
            relation: Relation = "owner_of"
            if named.kind == "person":
                old = await unit.edges.out_of(named.id, relation)
            else:
                old = await unit.edges.into(named.id, relation)
            targets = list(dict.fromkeys(edge.target for edge in old)) or ([] if named.kind == "person" else [named.id])
            handed = [one for one in await unit.machines.many(targets) if one.status != "closed"]
            if not preview:
                await self._hand_over(unit, heir, targets, old, by=by, now=now)
                for one in handed:
                    details: dict[str, str | int | bool | None] = {"from": named.urn, "to": heir.urn}
                    unit.record(Fact("custody.transferred", by, one.urn, reason=reason, details=details))
                if handed:
                    await self._letters.put(unit, "custody-transferred", heir.email_canonical, now=now)
                await unit.versions.raise_topic(SUBJECTS)
        return Effect(tuple(handed))

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId, *, by: str) -> None:
        """Take an edge away.

        Raises:
            NotFound: there is none.
            LastCustodian: machines that are not stopped would be left alone.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            edge = await unit.edges.get(source, relation, target)
            if edge is None:
                raise NotFound("edge")
            ends = await _named(unit, source), await _named(unit, target)
            await unlink_safely(unit, edge, now=now)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("edge.unlinked", by, ends[1].urn, details={"relation": relation, "source": ends[0].urn}))

    async def _hand_over(
        self, unit: UnitOfWork, heir: Person, targets: list[SubjectId], old: list[Edge], *, by: str, now: datetime
    ) -> None:
        for target in targets:
            held = await unit.edges.get(heir.id, "owner_of", target)
            if held is None or not held.counts(now):
                if held is not None:
                    await unit.edges.unlink(held.source, held.relation, held.target)
                await unit.edges.link(await checked_edge(unit, Edge(heir.id, "owner_of", target, now, by), now))
        for edge in old:
            if edge.source != heir.id:
                await unit.edges.unlink(edge.source, edge.relation, edge.target)


async def unlink_safely(unit: UnitOfWork, edge: Edge, *, now: datetime) -> None:
    """Take an edge away, unless a machine that is not stopped would be left alone.

    Raises:
        LastCustodian: with those machines.
    """
    await unit.edges.unlink(edge.source, edge.relation, edge.target)
    if edge.relation not in ("owner_of", "child_of"):
        return
    low = edge.target if edge.relation == "owner_of" else edge.source
    near = [*await unit.machines.many([low]), *await stored_below(unit, low, now)]
    alone = [one for one in near if one.active and not any(known.active for known in await custodians(unit, one, now))]
    before = edge.counts(now)
    if alone and before:
        raise LastCustodian(tuple(one.urn for one in alone))


async def _named(unit: UnitOfWork, subject: SubjectId | None) -> Named:
    found = await unit.names.get(subject) if subject else None
    if found is None or found.status == "closed":
        raise NotFound("subject")
    return found


def _reason(text: str) -> str:
    return text.strip()[:_LONGEST_REASON] or "stopped"
