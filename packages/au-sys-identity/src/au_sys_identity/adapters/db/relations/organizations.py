"""OrganizationStore on SQL."""

from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import organization_members, organizations, subjects
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.organizations.models import AuthorizedOrganizationId, Membership, Organization
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.subjects.models import SubjectId

_members = organization_members


class SqlOrganizations:
    """The tables ``organizations`` and ``organization_members``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, organization: Organization) -> None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        made = insert(organizations).values(
            id=organization.id, slug=organization.slug, created_at=organization.created_at, **_changing(organization)
        )
        try:
            async with self._session.begin_nested():
                await self._session.execute(made)
        except IntegrityError:
            raise Conflict("slug") from None

    async def save(self, organization: Organization, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        before = (organizations.c.id == organization.id) & (organizations.c.version == expected_version)
        changed = await self._session.execute(
            update(organizations).where(before).values(**_changing(organization)).returning(organizations.c.id)
        )
        if changed.first() is None:
            raise Stale

    async def remove(self, organization_id: AuthorizedOrganizationId) -> None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        gone = update(subjects).where(subjects.c.organization_id == organization_id, subjects.c.status == "closed")
        await self._session.execute(gone.values(organization_id=None))
        await self._session.execute(delete(_members).where(_members.c.organization_id == organization_id))
        await self._session.execute(delete(organizations).where(organizations.c.id == organization_id))

    async def get(self, organization_id: UUID) -> Organization | None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        wanted = select(organizations).where(organizations.c.id == organization_id)
        row = (await self._session.execute(wanted)).first()
        return _organization(row) if row else None

    async def by_slug(self, slug: str) -> Organization | None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        row = (await self._session.execute(select(organizations).where(organizations.c.slug == slug))).first()
        return _organization(row) if row else None

    async def every(self) -> list[Organization]:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        rows = await self._session.execute(select(organizations).order_by(organizations.c.slug))
        return [_organization(row) for row in rows]

    async def join(self, membership: Membership) -> bool:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(_members).values(
                        organization_id=membership.organization_id,
                        subject_id=membership.subject_id,
                        created_at=membership.created_at,
                        created_by=membership.created_by,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def leave(self, organization_id: AuthorizedOrganizationId, subject_id: SubjectId) -> bool:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        theirs = (_members.c.organization_id == organization_id) & (_members.c.subject_id == subject_id)
        gone = await self._session.execute(delete(_members).where(theirs).returning(_members.c.subject_id))
        return gone.first() is not None

    async def of_subject(self, subject_id: SubjectId) -> list[Organization]:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        wanted = select(organizations).join(_members, _members.c.organization_id == organizations.c.id)
        rows = await self._session.execute(wanted.where(_members.c.subject_id == subject_id).order_by("slug"))
        return [_organization(row) for row in rows]

    async def members(self, organization_id: AuthorizedOrganizationId, wanted: MemberFilter) -> list[Membership]:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        query = select(_members).where(_members.c.organization_id == organization_id)
        if wanted.after:
            query = query.where(_members.c.subject_id > wanted.after)
        rows = await self._session.execute(query.order_by(_members.c.subject_id).limit(wanted.limit))
        return [_membership(row) for row in rows]

    async def membership(self, organization_id: UUID, subject_id: SubjectId) -> Membership | None:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        theirs = (_members.c.organization_id == organization_id) & (_members.c.subject_id == subject_id)
        row = (await self._session.execute(select(_members).where(theirs))).first()
        return _membership(row) if row else None

    async def holds_something(self, organization_id: AuthorizedOrganizationId) -> bool:
        """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""
        held = (subjects.c.organization_id == organization_id) & (subjects.c.status != "closed")
        return (await self._session.execute(select(subjects.c.id).where(held).limit(1))).first() is not None


def _organization(row: Row[tuple[object, ...]]) -> Organization:
    return Organization(row.id, row.slug, row.name, row.created_at, row.updated_at, row.status, row.version)


def _membership(row: Row[tuple[object, ...]]) -> Membership:
    return Membership(row.organization_id, row.subject_id, row.created_at, row.created_by)


def _changing(organization: Organization) -> dict[str, object]:
    return {
        "name": organization.name,
        "status": organization.status,
        "version": organization.version,
        "updated_at": organization.updated_at,
    }
