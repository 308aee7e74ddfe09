"""SubjectStore on SQL."""

from collections.abc import Sequence

from sqlalchemy import Row, Select, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.relations.graph import SubjectRow, add_subject, save_subject
from au_sys_identity.adapters.db.tables import persons, subjects
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.ports import PersonFilter

_MOST_AT_ONCE = 500

_SELECTED: Select[tuple[object, ...]] = select(
    subjects.c.id,
    subjects.c.name,
    subjects.c.status,
    subjects.c.status_reason,
    subjects.c.epoch,
    subjects.c.version,
    subjects.c.created_at,
    subjects.c.updated_at,
    persons.c.email,
    persons.c.email_canonical,
    persons.c.email_verified_at,
    persons.c.auth_source,
    persons.c.locale,
    persons.c.timezone,
).join(persons, persons.c.subject_id == subjects.c.id)
_BY_ID = _SELECTED.where(subjects.c.id == bindparam("the_id"))
_BY_EMAIL = _SELECTED.where(persons.c.email_canonical == bindparam("the_email"), persons.c.closed.is_(False))


def _person(row: Row[tuple[object, ...]]) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        email_canonical=row.email_canonical,
        display_name=row.name,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status_reason=row.status_reason,
        epoch=row.epoch,
        version=row.version,
        email_verified_at=row.email_verified_at,
        locale=row.locale,
        timezone=row.timezone,
        auth_source=row.auth_source,
    )


def _row(person: Person) -> SubjectRow:
    return SubjectRow(
        person.id,
        "person",
        person.display_name,
        person.status,
        person.created_at,
        person.updated_at,
        person.version,
        person.epoch,
        person.status_reason,
    )


def _personal(person: Person) -> dict[str, object]:
    return {
        "email": person.email,
        "email_canonical": person.email_canonical,
        "email_verified_at": person.email_verified_at,
        "auth_source": person.auth_source,
        "locale": person.locale,
        "timezone": person.timezone,
        "closed": person.status == "closed",
    }


class SqlSubjects:
    """Persons in the tables ``subjects`` and ``persons``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed

    async def add(self, person: Person) -> None:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        try:
            async with self._session.begin_nested():
                await add_subject(self._session, self._feed, _row(person))
                await self._session.execute(insert(persons).values(subject_id=person.id, **_personal(person)))
        except IntegrityError:
            raise Conflict("email") from None

    async def save(self, person: Person, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        try:
            async with self._session.begin_nested():
                await save_subject(self._session, self._feed, _row(person), expected_version=expected_version)
                await self._session.execute(
                    update(persons).where(persons.c.subject_id == person.id).values(**_personal(person))
                )
        except IntegrityError:
            raise Conflict("email") from None

    async def get(self, subject_id: SubjectId) -> Person | None:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        row = (await self._session.execute(_BY_ID, {"the_id": subject_id})).first()
        return _person(row) if row else None

    async def by_email(self, canonical: str) -> Person | None:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        row = (await self._session.execute(_BY_EMAIL, {"the_email": canonical})).first()
        return _person(row) if row else None

    async def many(self, ids: Sequence[SubjectId]) -> list[Person]:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        found: list[Person] = []
        for start in range(0, len(ids), _MOST_AT_ONCE):
            part = ids[start : start + _MOST_AT_ONCE]
            rows = await self._session.execute(_SELECTED.where(subjects.c.id.in_(part)))
            found.extend(_person(row) for row in rows)
        return found

    async def page(self, wanted: PersonFilter) -> list[Person]:
        """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""
        query = _SELECTED.where(subjects.c.kind == "person", subjects.c.status != "closed")
        if wanted.status:
            query = query.where(subjects.c.status == wanted.status)
        if wanted.after:
            query = query.where(subjects.c.id > wanted.after)
        if wanted.q:
            query = query.where(
                or_(
                    subjects.c.name.icontains(wanted.q, autoescape=True),
                    persons.c.email_canonical.icontains(wanted.q, autoescape=True),
                )
            )
        rows = await self._session.execute(query.order_by(subjects.c.id).limit(wanted.limit))
        return [_person(row) for row in rows]
