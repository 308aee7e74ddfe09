"""GrantStore on SQL.

A role's permissions are rows of ``policies``: ``identity.users.read`` is the resource ``/identity/users/*`` with the
action ``read``.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.tables import edges, policies, role_assignments, roles, subjects, versions
from au_sys_identity.core.access.live import told
from au_sys_identity.core.access.models import (
    SYSTEM,
    Assignment,
    Policy,
    PolicyFilter,
    Role,
    permission_of,
    role_subject,
    rule_parts,
)
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.freshness import ACCESS
from au_sys_identity.core.ids import uuid7

_FIVE = ("subject", "domain", "resource", "action", "effect")


def _assignment(row: Row[tuple[object, ...]]) -> Assignment:
    return Assignment(
        row.id, row.subject, row.role, row.domain, row.created_at, row.created_by, row.expires_at, row.source
    )


def _rule(row: Row[tuple[object, ...]]) -> Rule:
    end = row.expires_at.timestamp() if row.expires_at else None
    return Rule(row.subject, row.domain, row.resource, row.action, row.effect, end)


def _policy(row: Row[tuple[object, ...]]) -> Policy:
    return Policy(row.id, _rule(row), row.created_at, row.created_by, row.source)


def _role(row: Row[tuple[object, ...]], permissions: frozenset[str]) -> Role:
    return Role(
        row.name,
        row.description,
        permissions,
        row.domain,
        row.protected,
        version=row.version,
        requestable=row.requestable,
    )


def held(assignment: Assignment) -> Membership:
    """An assignment as the engine reads it."""
    end = assignment.expires_at.timestamp() if assignment.expires_at else None
    return Membership(assignment.subject, role_subject(assignment.role), assignment.domain, end)


class SqlGrants:
    """The tables ``roles``, ``policies`` and ``role_assignments``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed
        self.revision = 0

    async def roles(self) -> list[Role]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        given: dict[tuple[str, str], set[str]] = defaultdict(set)
        wanted = select(policies).where(policies.c.effect == "allow", policies.c.expires_at.is_(None))
        for row in await self._session.execute(wanted):
            permission = permission_of(row.resource, row.action)
            if permission:
                given[row.subject, row.domain].add(permission)
        rows = await self._session.execute(select(roles).order_by(roles.c.name))
        return [_role(row, frozenset(given[role_subject(row.name), row.domain])) for row in rows]

    async def role(self, name: str) -> Role | None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        row = (await self._session.execute(select(roles).where(roles.c.name == name))).first()
        return None if row is None else _role(row, frozenset(await self._permissions(name, row.domain)))

    async def add_role(self, role: Role) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._hold()
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(roles).values(name=role.name, domain=role.domain, protected=role.protected, **_shared(role))
                )
        except IntegrityError:
            raise Conflict("name") from None
        await self._set_permissions(role)

    async def save_role(self, role: Role) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._hold()
        await self._session.execute(update(roles).where(roles.c.name == role.name).values(**_shared(role)))
        await self._set_permissions(role)

    async def remove_role(self, name: str) -> None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._hold()
        gone = await self._session.execute(
            delete(policies).where(policies.c.subject == role_subject(name)).returning(*policies.c)
        )
        changes = [Change(False, _rule(row)) for row in gone]
        await self._session.execute(delete(roles).where(roles.c.name == name))
        self.revision = await self._feed.append(ACCESS, *told(changes))

    async def assign(self, assignment: Assignment) -> bool:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        return (await self.change(assign=[assignment]))[0] == 1

    async def withdraw(self, subject: str, role: str, domain: str) -> bool:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        return (await self.change(withdraw=[Membership(subject, role_subject(role), domain)]))[1] == 1

    async def of_subject(self, subject: str) -> list[Assignment]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        wanted = select(role_assignments).where(role_assignments.c.subject == subject).order_by(role_assignments.c.id)
        return [_assignment(row) for row in await self._session.execute(wanted)]

    async def holders(self, role: str) -> list[Assignment]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        wanted = select(role_assignments).where(role_assignments.c.role == role).order_by(role_assignments.c.id)
        return [_assignment(row) for row in await self._session.execute(wanted)]

    async def policy(self, policy_id: UUID) -> Policy | None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        return await self._one(select(policies).where(policies.c.id == policy_id))

    async def find_policy(self, rule: Rule) -> Policy | None:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        return await self._one(select(policies).filter_by(**dict(zip(_FIVE, rule, strict=False))))

    async def policies(self, wanted: PolicyFilter) -> list[Policy]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        query = select(policies).order_by(policies.c.id).limit(wanted.limit)
        for name in _FIVE:
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(policies.c[name] == value)
        if wanted.after is not None:
            query = query.where(policies.c.id > wanted.after)
        return [_policy(row) for row in await self._session.execute(query)]

    async def change(
        self,
        *,
        add: Sequence[Policy] = (),
        remove: Sequence[Rule] = (),
        assign: Sequence[Assignment] = (),
        withdraw: Sequence[Membership] = (),
    ) -> tuple[int, int]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        await self._hold()
        gone = [Change(False, rule) for rule in remove if await self._drop(rule)]
        gone += [Change(False, item) for item in withdraw if await self._unassign(item)]
        made = [Change(True, policy.rule) for policy in add if await self._put(policy)]
        made += [Change(True, held(assignment)) for assignment in assign if await self._assign(assignment)]
        await self._tell([*gone, *made])
        return len(made), len(gone)

    async def everything(self) -> tuple[int, list[Rule], list[Membership]]:
        """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        version = (await self._session.execute(select(versions.c.version).where(versions.c.topic == ACCESS))).scalar()
        rules = [_rule(row) for row in await self._session.execute(select(policies))]
        memberships = [held(_assignment(row)) for row in await self._session.execute(select(role_assignments))]
        member, group = subjects.alias("member"), subjects.alias("community")
        wanted = (
            select(member.c.urn, group.c.urn, edges.c.expires_at)
            .join_from(edges, member, member.c.id == edges.c.source_id)
            .join(group, group.c.id == edges.c.target_id)
            .where(edges.c.relation == "member_of")
        )
        for urn, community, end in await self._session.execute(wanted):
            memberships.append(Membership(urn, community, "*", end.timestamp() if end else None))
        return version or 0, rules, memberships

    async def _hold(self) -> None:
        await self._feed.hold(ACCESS)

    async def _tell(self, changes: Sequence[Change]) -> None:
        if changes:
            self.revision = await self._feed.append(ACCESS, *told(changes))

    async def _one(self, wanted: Select[tuple[object, ...]]) -> Policy | None:
        row = (await self._session.execute(wanted)).first()
        return None if row is None else _policy(row)

    async def _put(self, policy: Policy) -> bool:
        rule = policy.rule
        end = datetime.fromtimestamp(rule.expires_at, UTC) if rule.expires_at is not None else None
        known = await self.find_policy(rule)
        if known is not None:
            if known.rule.expires_at == rule.expires_at:
                return False
            await self._session.execute(update(policies).where(policies.c.id == known.id).values(expires_at=end))
            return True
        row = dict(zip(_FIVE, rule, strict=False)) | {"id": policy.id, "expires_at": end, "source": policy.source}
        await self._session.execute(
            insert(policies).values(created_at=policy.created_at, created_by=policy.created_by, **row)
        )
        return True

    async def _drop(self, rule: Rule) -> bool:
        gone = delete(policies).filter_by(**dict(zip(_FIVE, rule, strict=False))).returning(policies.c.id)
        return (await self._session.execute(gone)).first() is not None

    async def _assign(self, assignment: Assignment) -> bool:
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

    async def _unassign(self, item: Membership) -> bool:
        gone = await self._session.execute(
            delete(role_assignments)
            .where(
                role_assignments.c.subject == item.subject,
                role_assignments.c.role == item.role.removeprefix("role:"),
                role_assignments.c.domain == item.domain,
            )
            .returning(role_assignments.c.id)
        )
        return gone.first() is not None

    async def _permissions(self, name: str, domain: str) -> set[str]:
        wanted = select(policies).where(
            policies.c.subject == role_subject(name),
            policies.c.domain == domain,
            policies.c.effect == "allow",
            policies.c.expires_at.is_(None),
        )
        found = [permission_of(row.resource, row.action) for row in await self._session.execute(wanted)]
        return {permission for permission in found if permission}

    async def _set_permissions(self, role: Role) -> None:
        before = await self._permissions(role.name, role.domain)
        now = datetime.now(UTC)

        def rule(permission: str) -> Rule:
            return Rule(role_subject(role.name), role.domain, *rule_parts(permission))

        await self.change(
            add=[Policy(uuid7(), rule(one), now, SYSTEM) for one in sorted(role.permissions - before)],
            remove=[rule(one) for one in sorted(before - role.permissions)],
        )
        if role.permissions == before:  # name, description or offer changed: that is known by its revision too
            self.revision = await self._feed.append(ACCESS, *told([]))


def _shared(role: Role) -> dict[str, object]:
    return {"description": role.description, "version": role.version, "requestable": role.requestable}
