"""Organizations: made, renamed, removed when empty; people join and leave."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.errors import Conflict, HasDependents, NotFound, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.organizations.models import (
    DEFAULT_SLUG,
    AuthorizedOrganizationId,
    Membership,
    Organization,
    checked_slug,
)
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name

Holds = Callable[[str], Awaitable[bool]]
"""Whether the caller holds a right in the organization of that slug."""

_NAMED_IN_A_REFUSAL = 20
"""Members that are named to whoever would remove their organization."""


class Organizations:
    """Tenants. What belongs to one is reached only by who holds something in it."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def reached(self, slug: str, holds: Holds) -> tuple[Organization, AuthorizedOrganizationId]:
        """The access check: an organization in which the caller holds a right, with the proof of it.

        Raises:
            NotFound: there is none, or it is none of the caller's business; the two look alike.
        """
        async with self._transactions.reading() as unit:
            found = await unit.organizations.by_slug(slug)
        if not await holds(slug) or found is None:
            raise NotFound("organization")
        return found, AuthorizedOrganizationId(found.id)

    async def every(self) -> list[Organization]:
        """All, by slug; the caller leaves out what is none of their business."""
        async with self._transactions.reading() as unit:
            return await unit.organizations.every()

    async def of_subject(self, subject: SubjectId) -> list[Organization]:
        """Those that a subject was taken into."""
        async with self._transactions.reading() as unit:
            return await unit.organizations.of_subject(subject)

    async def slug_of(self, organization_id: UUID | None) -> str:
        """The domain of what belongs to an organization."""
        if organization_id is None:
            return DEFAULT_SLUG
        async with self._transactions.reading() as unit:
            found = await unit.organizations.get(organization_id)
        return found.slug if found else DEFAULT_SLUG

    async def by_slug(self, slug: str) -> Organization:
        """One.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            found = await unit.organizations.by_slug(slug)
        if found is None:
            raise NotFound("organization")
        return found

    async def create(self, slug: str, name: str, *, by: str) -> Organization:
        """Make an organization.

        Raises:
            InvalidInput: a field breaks a rule.
            Conflict: the slug is taken.
        """
        now = self._clock()
        made = Organization(uuid7(), checked_slug(slug), display_name(name, "name"), now, now)
        async with self._transactions.writing() as unit:
            await unit.organizations.add(made)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("organization.created", by, made.urn, organization=made.slug))
        return made

    async def rename(
        self, slug: str, name: str, proof: AuthorizedOrganizationId, *, by: str, expected_version: int | None = None
    ) -> Organization:
        """Give it another name; the slug stays, since rules name it.

        Raises:
            Stale, InvalidInput: nothing is changed.
        """
        async with self._transactions.writing() as unit:
            known = await unit.organizations.get(proof)
            if known is None or known.slug != slug:
                raise NotFound("organization")
            if expected_version is not None and known.version != expected_version:
                raise Stale
            version = known.version + 1
            changed = replace(known, name=display_name(name, "name"), version=version, updated_at=self._clock())
            await unit.organizations.save(changed, expected_version=known.version)
            unit.record(Fact("organization.changed", by, known.urn, organization=known.slug))
        return changed

    async def remove(self, proof: AuthorizedOrganizationId, *, by: str) -> None:
        """Remove an organization that nobody and nothing belongs to.

        Raises:
            Conflict: it is the one that is always there.
            HasDependents: somebody or something belongs to it.
        """
        async with self._transactions.writing() as unit:
            known = await unit.organizations.get(proof)
            if known is None:
                raise NotFound("organization")
            if known.slug == DEFAULT_SLUG:
                raise Conflict("organization")
            members = await unit.organizations.members(proof, MemberFilter(limit=_NAMED_IN_A_REFUSAL))
            if members or await unit.organizations.holds_something(proof):
                names = await unit.names.many({member.subject_id for member in members})
                urns = tuple(sorted(named.urn for named in names.values()))
                raise HasDependents(urns, "Let its members leave, and close its machines and groups first.")
            await unit.organizations.remove(proof)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("organization.removed", by, known.urn, organization=known.slug))

    async def members(self, proof: AuthorizedOrganizationId, wanted: MemberFilter) -> list[tuple[Membership, Person]]:
        """A page of members."""
        async with self._transactions.reading() as unit:
            found = await unit.organizations.members(proof, wanted)
            people = {person.id: person for person in await unit.subjects.many([one.subject_id for one in found])}
        return [(one, people[one.subject_id]) for one in found if one.subject_id in people]

    async def add(
        self, proof: AuthorizedOrganizationId, subject: SubjectId | None, *, by: str
    ) -> tuple[Membership, Person]:
        """Take a person in; who belongs to it already goes on doing so.

        Raises:
            NotFound: there is no such person.
        """
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(subject) if subject else None
            if person is None or person.status == "closed":
                raise NotFound("person")
            joined = Membership(proof, person.id, self._clock(), by)
            if not await join(unit, proof, person.id, by=by, at=joined.created_at):
                joined = await unit.organizations.membership(proof, person.id) or joined
        return joined, person

    async def drop(self, proof: AuthorizedOrganizationId, subject: SubjectId | None, *, by: str) -> None:
        """Let a member leave; what they held in the organization goes with them.

        Raises:
            NotFound: there is no such member.
        """
        async with self._transactions.writing() as unit:
            known = await unit.organizations.get(proof)
            person = await unit.subjects.get(subject) if subject else None
            if known is None or person is None or not await unit.organizations.leave(proof, person.id):
                raise NotFound("person")
            for held in await unit.grants.of_subject(person.urn):
                if held.domain == known.slug:
                    await unit.grants.withdraw(held.subject, held.role, held.domain)
            await unit.versions.raise_topic(ACCESS)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("organization.left", by, person.urn, organization=known.slug))


async def join(unit: UnitOfWork, organization_id: UUID, subject: SubjectId, *, by: str, at: datetime) -> bool:
    """Take somebody in, inside a transaction; ``False`` when they belonged to it.

    Raises:
        NotFound: there is no such organization or person.
    """
    known = await unit.organizations.get(organization_id)
    person = await unit.subjects.get(subject)
    if known is None or person is None:
        raise NotFound("organization")
    made = await unit.organizations.join(Membership(known.id, person.id, at, by))
    if made:
        await unit.versions.raise_topic(SUBJECTS)
        unit.record(Fact("organization.joined", by, person.urn, organization=known.slug))
    return made
