"""GroupStore on SQL."""

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.relations.graph import SubjectRow, add_subject, save_subject
from au_sys_identity.adapters.db.tables import edges, groups, subjects
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.freshness import GRAPH
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION
from au_sys_identity.core.subjects.models import SubjectId


class SqlGroups:
    """Groups in the tables ``subjects`` and ``groups``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed

    async def add(self, group: Group) -> None:
        """See :class:`~au_sys_identity.core.groups.ports.GroupStore`."""
        await self._free(group)
        try:
            async with self._session.begin_nested():
                await add_subject(self._session, self._feed, _row(group))
                await self._session.execute(insert(groups).values(subject_id=group.id, **_own(group)))
        except IntegrityError:
            raise Conflict("external_id") from None

    async def save(self, group: Group, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.groups.ports.GroupStore`."""
        await self._free(group)
        await save_subject(self._session, self._feed, _row(group), expected_version=expected_version)
        await self._session.execute(update(groups).where(groups.c.subject_id == group.id).values(**_own(group)))

    async def get(self, subject_id: SubjectId) -> Group | None:
        """See :class:`~au_sys_identity.core.groups.ports.GroupStore`."""
        row = (await self._session.execute(_selected().where(subjects.c.id == subject_id))).first()
        return _group(row) if row else None

    async def page(self, wanted: GroupFilter) -> list[Group]:
        """See :class:`~au_sys_identity.core.groups.ports.GroupStore`."""
        query = _selected().where(subjects.c.status != "closed")
        if wanted.q:
            query = query.where(subjects.c.name.icontains(wanted.q, autoescape=True))
        if wanted.organization_id:
            query = query.where(subjects.c.organization_id == wanted.organization_id)
        if wanted.owner:
            owned = select(edges.c.target_id).where(edges.c.source_id == wanted.owner, edges.c.relation == "owner_of")
            query = query.where(subjects.c.id.in_(owned))
        if wanted.after:
            query = query.where(subjects.c.id > wanted.after)
        rows = await self._session.execute(query.order_by(subjects.c.id).limit(wanted.limit))
        return [_group(row) for row in rows]

    async def _free(self, group: Group) -> None:
        await self._feed.hold(GRAPH)  # two of one name at once: the second waits, then sees the first
        same = _selected().where(
            subjects.c.name == group.name,
            subjects.c.status != "closed",
            subjects.c.organization_id == group.organization_id,
            subjects.c.id != group.id,
        )
        if group.status != "closed" and (await self._session.execute(same)).first() is not None:
            raise Conflict("name")


def _selected() -> Select[tuple[object, ...]]:
    return select(subjects, groups).join(groups, groups.c.subject_id == subjects.c.id)


def _group(row: Row[tuple[object, ...]]) -> Group:
    return Group(
        id=row.id,
        name=row.name,
        description=row.description,
        organization_id=row.organization_id or DEFAULT_ORGANIZATION,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=row.status,
        source=row.source,
        external_id=row.external_id,
        version=row.version,
    )


def _row(group: Group) -> SubjectRow:
    return SubjectRow(
        group.id,
        "group",
        group.name,
        group.status,
        group.created_at,
        group.updated_at,
        group.version,
        organization_id=group.organization_id,
    )


def _own(group: Group) -> dict[str, object]:
    return {"description": group.description, "source": group.source, "external_id": group.external_id}
