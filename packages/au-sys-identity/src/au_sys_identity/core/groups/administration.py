"""Groups: made with an owner, changed, closed when nobody stands in them."""

from dataclasses import dataclass, replace
from uuid import UUID

from au_sys_identity.core.errors import HasDependents, InvalidInput, NotFound, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, SUBJECTS
from au_sys_identity.core.graph.models import RELATIONS, Edge
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.subjects.names import display_name

_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What may be changed; ``None`` leaves a field as it is."""

    name: str | None = None
    description: str | None = None


class Groups:
    """Who stands together. Who may ask is the caller's question."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def page(self, wanted: GroupFilter) -> list[Group]:
        """Groups in the order of their ids."""
        async with self._transactions.reading() as unit:
            return await unit.groups.page(wanted)

    async def get(self, group: SubjectId | None) -> Group:
        """One that is not closed.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            return await _known(unit, group)

    async def create(
        self, name: str, description: str, organization_id: UUID, *, owner: SubjectId | None, by: str
    ) -> Group:
        """Make a group; ``owner`` answers for it.

        Raises:
            InvalidInput: a field breaks a rule.
            Conflict: the name is taken in that organization.
        """
        now = self._clock()
        made = Group(
            SubjectId(uuid7()), display_name(name, "name"), _description(description), organization_id, now, now
        )
        async with self._transactions.writing() as unit:
            await unit.groups.add(made)
            if owner is not None:
                await unit.edges.link(Edge(owner, "owner_of", made.id, now, by))
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("group.created", by, made.urn))
        return made

    async def change(
        self, group: SubjectId | None, change: GroupChange, *, by: str, expected_version: int | None = None
    ) -> Group:
        """Rename or describe a group.

        Raises:
            NotFound, Stale, InvalidInput, Conflict: nothing is changed.
        """
        async with self._transactions.writing() as unit:
            known = await _known(unit, group)
            if expected_version is not None and known.version != expected_version:
                raise Stale
            changed = replace(
                known,
                name=known.name if change.name is None else display_name(change.name, "name"),
                description=known.description if change.description is None else _description(change.description),
                version=known.version + 1,
                updated_at=self._clock(),
            )
            await unit.groups.save(changed, expected_version=known.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("group.changed", by, known.urn))
        return changed

    async def close(self, group: SubjectId | None, *, by: str) -> None:
        """Close a group that nobody belongs to and that answers for nothing; its roles go.

        Raises:
            NotFound: there is none.
            HasDependents: with who belongs to it, and what it answers for.
        """
        async with self._transactions.writing() as unit:
            known = await _known(unit, group)
            inside = [edge.source for edge in await unit.edges.into(known.id, "member_of")]
            below = [edge.source for edge in await unit.edges.into(known.id, "child_of")]
            owned = [edge.target for edge in await unit.edges.out_of(known.id, "owner_of")]
            names = await unit.names.many({*inside, *below, *owned})
            left = sorted(named.urn for named in names.values() if named.status != "closed")
            if left:
                raise HasDependents(tuple(left), "Unlink its members and what it owns first.")
            for held in await unit.grants.of_subject(known.urn):
                await unit.grants.withdraw(held.subject, held.role, held.domain)
            for relation in RELATIONS:
                for edge in [*await unit.edges.out_of(known.id, relation), *await unit.edges.into(known.id, relation)]:
                    await unit.edges.unlink(edge.source, edge.relation, edge.target)
            closed = replace(known, status="closed", version=known.version + 1, updated_at=self._clock())
            await unit.groups.save(closed, expected_version=known.version)
            await unit.versions.raise_topic(SUBJECTS)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("group.closed", by, known.urn))


async def _known(unit: UnitOfWork, group: SubjectId | None) -> Group:
    found = await unit.groups.get(group) if group else None
    if found is None or found.status == "closed":
        raise NotFound("group")
    return found


def _description(text: str) -> str:
    found = text.strip()
    if len(found) > _LONGEST_DESCRIPTION or not all(one.isprintable() or one == "\n" for one in found):
        raise InvalidInput("description", f"must have at most {_LONGEST_DESCRIPTION} characters", "Shorten it.")
    return found
