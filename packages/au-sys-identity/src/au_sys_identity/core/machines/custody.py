"""Every machine answers to someone: who that is, and who would be left alone.

The active persons nearest to a machine are its custodians together, walking owners backwards and parents upwards.
Inside a transaction the walk goes through the stores; requests ask the index of :mod:`core.graph`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.graph.index import GraphIndex
from au_sys_identity.core.machines.models import KnownMachine, Machine
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION, DEFAULT_SLUG
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId, SubjectKind, subject_urn

_DEEPEST = 64


async def known_machine(
    unit: UnitOfWork, machine_id: SubjectId | None, now: datetime, kind: SubjectKind | None = None
) -> KnownMachine:
    """A machine with its custodians.

    Raises:
        NotFound: there is none, it is closed, or of another kind.
    """
    machine = await unit.machines.get(machine_id) if machine_id else None
    if machine is None or machine.status == "closed" or (kind is not None and machine.kind != kind):
        raise NotFound("machine")
    return await with_custodians(unit, machine, now)


async def with_custodians(unit: UnitOfWork, machine: Machine, now: datetime) -> KnownMachine:
    """A machine with its custodians, the slug of its organization and what made it."""
    slug = DEFAULT_SLUG
    if machine.organization_id != DEFAULT_ORGANIZATION:
        organization = await unit.organizations.get(machine.organization_id)
        slug = organization.slug if organization else slug
    above = [edge for edge in await unit.edges.out_of(machine.id, "child_of") if edge.counts(now)]
    parent = await unit.machines.get(above[0].target) if above else None
    return KnownMachine(
        machine,
        await custodians(unit, machine, now),
        slug,
        subject_urn(parent.kind, parent.id) if parent else None,
    )


async def many_with_custodians(
    unit: UnitOfWork, machines: Sequence[Machine], index: GraphIndex, now: datetime
) -> list[KnownMachine]:
    """As :func:`with_custodians`, for a page of them: who answers is asked of the index, people are read together.

    Those that nobody active answers for are looked at one by one.
    """
    answering = {machine.id: index.custody(machine.id).custodians for machine in machines}
    ids = sorted({one for found in answering.values() for one in found})
    people = {person.id: person for person in await unit.subjects.many(ids)}
    found = []
    for machine in machines:
        active = tuple(people[one] for one in sorted(answering[machine.id]) if one in people and people[one].active)
        if not active or machine.organization_id != DEFAULT_ORGANIZATION:
            found.append(await with_custodians(unit, machine, now))
            continue
        parent = next((there for step, there in index.upward_steps(machine.id) if step[1] == "child_of"), None)
        made_by = index.standing(parent) if parent is not None else None
        urn = subject_urn(made_by.kind, made_by.id) if made_by is not None else None
        found.append(KnownMachine(machine, active, parent=urn))
    return found


async def custodians(
    unit: UnitOfWork, machine: Machine, now: datetime, *, without: frozenset[SubjectId] = frozenset()
) -> tuple[Person, ...]:
    """The nearest active persons; when there is none, the nearest persons at all. ``without`` some, as if gone."""
    seen, frontier = {machine.id, *without}, {machine.id}
    inactive: tuple[Person, ...] = ()
    for _level in range(_DEEPEST):
        owners = await unit.edges.entering(frontier, "owner_of")
        parents = await unit.edges.leaving(frontier, "child_of")
        near = {edge.source for edge in owners if edge.counts(now)} | {
            edge.target for edge in parents if edge.counts(now)
        }
        further = near - seen
        if not further:
            break
        seen |= further
        people = tuple(sorted(await unit.subjects.many(list(further)), key=lambda person: person.id))
        if any(person.active for person in people):
            return tuple(person for person in people if person.active)
        inactive = inactive or tuple(person for person in people if person.status != "closed")
        frontier = further - {person.id for person in people}
    return inactive


async def machines_below(unit: UnitOfWork, subject: SubjectId, now: datetime) -> list[Machine]:
    """Every machine that answers to a subject, through groups and parents too, in the order of their ids."""
    seen, frontier = {subject}, {subject}
    for _level in range(_DEEPEST):
        owned = await unit.edges.leaving(frontier, "owner_of")
        children = await unit.edges.entering(frontier, "child_of")
        near = {edge.target for edge in owned if edge.counts(now)} | {
            edge.source for edge in children if edge.counts(now)
        }
        frontier = near - seen
        if not frontier:
            break
        seen |= frontier
    return [machine for machine in await unit.machines.many(seen - {subject}) if machine.status != "closed"]


async def orphaned_by(
    unit: UnitOfWork, subject: SubjectId, now: datetime, *, among: Collection[Machine] | None = None
) -> list[Machine]:
    """Machines that nobody active would answer for without a subject, of those that somebody answers for."""
    below = await machines_below(unit, subject, now) if among is None else among
    without = frozenset({subject})
    return [
        machine
        for machine in below
        if not any(person.active for person in await custodians(unit, machine, now, without=without))
    ]
