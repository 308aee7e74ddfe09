"""GrantStore and VersionStore on SQL.

A role's permissions are rows of ``policies``: ``identity.users.read`` is the resource ``/identity/users/*`` with the
action ``read``.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import policies, role_assignments, roles, versions
from au_sys_identity.core.access.models import Assignment, Role
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.ids import uuid7


def _resource(permission: str) -> tuple[str, str]:
    *path, action = permission.split(".")
    return "/" + "/".join(path) + "/*", action


def _permission(resource: str, action: str) -> str:
    return ".".join([*resource.removesuffix("/*").strip("/").split("/"), action])


def _assignment(row: Row[tuple[object, ...]]) -> Assignment:
    return Assignment(
        row.id, row.subject, row.role, row.domain, row.created_at, row.created_by, row.expires_at, row.source
    )


class SqlGrants:
    """The tables ``roles``, ``policies`` and ``role_assignments``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def roles(self) -> list[Role]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        held: dict[str, set[str]] = defaultdict(set)
        for row in await self._session.execute(select(policies).where(policies.c.effect == "allow")):
            held[row.subject].add(_permission(row.resource, row.action))
        rows = await self._session.execute(select(roles).order_by(roles.c.name))
        return [
            Role(
                row.name,
                row.description,
                frozenset(held[f"role:{row.name}"]),
                row.domain,
                row.protected,
                version=row.version,
            )
            for row in rows
        ]

    async def role(self, name: str) -> Role | None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        return next((role for role in await self.roles() if role.name == name), None)

    async def add_role(self, role: Role) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(roles).values(
                        name=role.name,
                        description=role.description,
                        domain=role.domain,
                        protected=role.protected,
                        version=role.version,
                    )
                )
        except IntegrityError:
            raise Conflict("name") from None
        await self._set_permissions(role)

    async def save_role(self, role: Role) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._session.execute(
            update(roles).where(roles.c.name == role.name).values(description=role.description, version=role.version)
        )
        await self._set_permissions(role)

    async def remove_role(self, name: str) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._session.execute(delete(policies).where(policies.c.subject == f"role:{name}"))
        await self._session.execute(delete(roles).where(roles.c.name == name))

    async def assign(self, assignment: Assignment) -> bool:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(role_assignments).values(
                        id=assignment.id,
                        subject=assignment.subject,
                        role=assignment.role,
                        domain=assignment.domain,
                        expires_at=assignment.expires_at,
                        source=assignment.source,
                        created_at=assignment.created_at,
                        created_by=assignment.created_by,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def withdraw(self, subject: str, role: str, domain: str) -> bool:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        gone = await self._session.execute(
            delete(role_assignments)
            .where(
                role_assignments.c.subject == subject,
                role_assignments.c.role == role,
                role_assignments.c.domain == domain,
            )
            .returning(role_assignments.c.id)
        )
        return gone.first() is not None

    async def of_subject(self, subject: str) -> list[Assignment]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        wanted = select(role_assignments).where(role_assignments.c.subject == subject).order_by(role_assignments.c.id)
        return [_assignment(row) for row in await self._session.execute(wanted)]

    async def holders(self, role: str) -> list[Assignment]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        wanted = select(role_assignments).where(role_assignments.c.role == role).order_by(role_assignments.c.id)
        return [_assignment(row) for row in await self._session.execute(wanted)]

    async def _set_permissions(self, role: Role) -> None:
        subject = f"role:{role.name}"
        await self._session.execute(delete(policies).where(policies.c.subject == subject))
        for permission in sorted(role.permissions):
            resource, action = _resource(permission)
            rule: dict[str, str | UUID] = {"subject": subject, "domain": role.domain, "effect": "allow"}
            await self._session.execute(insert(policies).values(id=uuid7(), resource=resource, action=action, **rule))


class SqlVersions:
    """The table ``versions``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.raised = False

    async def read(self) -> Mapping[str, int]:
        """See :class:`~au_sys_identity.core.access.ports.VersionStore`."""
        return {row.topic: row.version for row in await self._session.execute(select(versions))}

    async def raise_topic(self, topic: str) -> int:
        """See :class:`~au_sys_identity.core.access.ports.VersionStore`."""
        self.raised = True
        row = (
            await self._session.execute(
                update(versions)
                .where(versions.c.topic == topic)
                .values(version=versions.c.version + 1)
                .returning(versions.c.version)
            )
        ).first()
        if row is None:
            await self._session.execute(insert(versions).values(topic=topic, version=1))
            return 1
        return int(row.version)
