"""OrganizationStore: tenants and their members."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.organizations.models import AuthorizedOrganizationId, Membership, Organization
from au_sys_identity.core.subjects.models import SubjectId


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """A page of members; ``after`` is the last id of the page before."""

    after: SubjectId | None = None
    limit: int = 50


class OrganizationStore(Protocol):
    """Organizations by id and slug; what belongs to one is read with the proof that the caller may."""

    async def add(self, organization: Organization) -> None:
        """Keep a new organization.

        Raises:
            Conflict: the slug is taken.
        """

    async def save(self, organization: Organization, *, expected_version: int) -> None:
        """Replace an organization.

        Raises:
            Stale: the stored version is another one.
        """

    async def remove(self, organization_id: AuthorizedOrganizationId) -> None: ...

    async def get(self, organization_id: UUID) -> Organization | None: ...

    async def by_slug(self, slug: str) -> Organization | None: ...

    async def every(self) -> list[Organization]:
        """All, by slug."""

    async def join(self, membership: Membership) -> bool:
        """Keep a member; ``False`` when it was one."""

    async def leave(self, organization_id: AuthorizedOrganizationId, subject_id: SubjectId) -> bool: ...

    async def of_subject(self, subject_id: SubjectId) -> list[Organization]:
        """Organizations that a subject was taken into."""

    async def members(self, organization_id: AuthorizedOrganizationId, wanted: MemberFilter) -> list[Membership]:
        """In the order of their ids."""

    async def membership(self, organization_id: UUID, subject_id: SubjectId) -> Membership | None: ...

    async def holds_something(self, organization_id: AuthorizedOrganizationId) -> bool:
        """Whether machines, groups or providers that are not closed belong to it."""
