"""GroupStore and OrganizationStore in plain dicts."""

from uuid import UUID

from au_sys_identity.adapters.memory.relations.graph import MemoryFeed, tell
from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.organizations.models import AuthorizedOrganizationId, Membership, Organization
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.subjects.models import SubjectId


class MemoryGroups:
    """See :class:`~au_sys_identity.core.groups.ports.GroupStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._rows = tables.groups
        self._edges = tables.edges
        self._feed = feed

    async def add(self, group: Group) -> None:
        others = [known for known in self._rows.values() if known.id != group.id]
        living = (known for known in others if known.status != "closed" and group.status != "closed")
        if any((one.organization_id, one.name) == (group.organization_id, group.name) for one in living):
            raise Conflict("name")
        outside = (group.source, group.external_id)
        if group.external_id is not None and any((one.source, one.external_id) == outside for one in others):
            raise Conflict("external_id")
        self._rows[group.id] = group
        await tell(self._feed, group.id, "group", group.status)

    async def save(self, group: Group, *, expected_version: int) -> None:
        if self._rows[group.id].version != expected_version:
            raise Stale
        await self.add(group)

    async def get(self, subject_id: SubjectId) -> Group | None:
        return self._rows.get(subject_id)

    async def page(self, wanted: GroupFilter) -> list[Group]:
        found = [
            group
            for group in sorted(self._rows.values(), key=lambda group: group.id)
            if group.status != "closed"
            and wanted.q.lower() in group.name.lower()
            and (wanted.organization_id is None or group.organization_id == wanted.organization_id)
            and (wanted.owner is None or (wanted.owner, "owner_of", group.id) in self._edges)
            and (wanted.after is None or group.id > wanted.after)
        ]
        return found[: wanted.limit]


class MemoryOrganizations:
    """See :class:`~au_sys_identity.core.organizations.ports.OrganizationStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.organizations
        self._members = tables.organization_members
        self._tables = tables

    async def add(self, organization: Organization) -> None:
        if await self.by_slug(organization.slug):
            raise Conflict("slug")
        self._rows[organization.id] = organization

    async def save(self, organization: Organization, *, expected_version: int) -> None:
        if self._rows[organization.id].version != expected_version:
            raise Stale
        self._rows[organization.id] = organization

    async def remove(self, organization_id: AuthorizedOrganizationId) -> None:
        for key in [key for key in self._members if key[0] == organization_id]:
            del self._members[key]
        del self._rows[organization_id]

    async def get(self, organization_id: UUID) -> Organization | None:
        return self._rows.get(organization_id)

    async def by_slug(self, slug: str) -> Organization | None:
        return next((known for known in self._rows.values() if known.slug == slug), None)

    async def every(self) -> list[Organization]:
        return sorted(self._rows.values(), key=lambda known: known.slug)

    async def join(self, membership: Membership) -> bool:
        key = (membership.organization_id, membership.subject_id)
        known = key in self._members
        self._members.setdefault(key, membership)
        return not known

    async def leave(self, organization_id: AuthorizedOrganizationId, subject_id: SubjectId) -> bool:
        return self._members.pop((organization_id, subject_id), None) is not None

    async def of_subject(self, subject_id: SubjectId) -> list[Organization]:
        return [known for known in await self.every() if (known.id, subject_id) in self._members]

    async def members(self, organization_id: AuthorizedOrganizationId, wanted: MemberFilter) -> list[Membership]:
        theirs = [known for known in self._members.values() if known.organization_id == organization_id]
        found = sorted(theirs, key=lambda known: known.subject_id)
        return [known for known in found if wanted.after is None or known.subject_id > wanted.after][: wanted.limit]

    async def membership(self, organization_id: UUID, subject_id: SubjectId) -> Membership | None:
        return self._members.get((organization_id, subject_id))

    async def holds_something(self, organization_id: AuthorizedOrganizationId) -> bool:
        machines = ((one.organization_id, one.status) for one in self._tables.machines.values())
        groups = ((one.organization_id, one.status) for one in self._tables.groups.values())
        held = [*machines, *groups]
        return any(place == organization_id and status != "closed" for place, status in held)
