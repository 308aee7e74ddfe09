"""GrantStore in plain dicts."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from au_sys_identity.adapters.memory.relations.graph import MemoryFeed
from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.access.live import told
from au_sys_identity.core.access.models import Assignment, Policy, PolicyFilter, Role, role_subject, rule_parts
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.freshness import ACCESS

_FIVE = ("subject", "domain", "resource", "action", "effect")


class MemoryGrants:
    """See :class:`~au_sys_identity.core.access.ports.GrantStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._tables = tables
        self._roles = tables.roles
        self._assignments = tables.assignments
        self._policies = tables.policies
        self._feed = feed
        self.revision = 0

    async def roles(self) -> list[Role]:
        return sorted(self._roles.values(), key=lambda role: role.name)

    async def role(self, name: str) -> Role | None:
        return self._roles.get(name)

    async def add_role(self, role: Role) -> None:
        if role.name in self._roles:
            raise Conflict("name")
        await self._keep(role, frozenset())

    async def save_role(self, role: Role) -> None:
        await self._keep(role, self._roles[role.name].permissions)

    async def remove_role(self, name: str) -> None:
        role = self._roles.pop(name, None)
        if role is not None:
            await self._keep(replace(role, permissions=frozenset()), role.permissions)
            del self._roles[name]

    async def assign(self, assignment: Assignment) -> bool:
        return (await self.change(assign=[assignment]))[0] == 1

    async def withdraw(self, subject: str, role: str, domain: str) -> bool:
        return (await self.change(withdraw=[Membership(subject, role_subject(role), domain)]))[1] == 1

    async def of_subject(self, subject: str) -> list[Assignment]:
        return [held for held in self._sorted() if held.subject == subject]

    async def holders(self, role: str) -> list[Assignment]:
        return [held for held in self._sorted() if held.role == role]

    async def policy(self, policy_id: UUID) -> Policy | None:
        return next((policy for policy in self._policies.values() if policy.id == policy_id), None)

    async def find_policy(self, rule: Rule) -> Policy | None:
        return self._policies.get(rule[:5])

    async def policies(self, wanted: PolicyFilter) -> list[Policy]:
        asked = {name: value for name in _FIVE if (value := getattr(wanted, name)) is not None}
        found = [
            policy
            for policy in sorted(self._policies.values(), key=lambda policy: policy.id)
            if all(getattr(policy.rule, name) == value for name, value in asked.items())
            and (wanted.after is None or policy.id > wanted.after)
        ]
        return found[: wanted.limit]

    async def change(
        self,
        *,
        add: Sequence[Policy] = (),
        remove: Sequence[Rule] = (),
        assign: Sequence[Assignment] = (),
        withdraw: Sequence[Membership] = (),
    ) -> tuple[int, int]:
        gone = [Change(False, rule) for rule in remove if self._policies.pop(rule[:5], None)]
        for item in withdraw:
            if self._assignments.pop((item.subject, item.role.removeprefix("role:"), item.domain), None):
                gone.append(Change(False, item))
        made = [Change(True, policy.rule) for policy in add if self._put(policy)]
        for given in assign:
            if self._assignments.setdefault((given.subject, given.role, given.domain), given) is given:
                made.append(Change(True, _held(given)))
        if gone or made:
            self.revision = await self._feed.append(ACCESS, *told([*gone, *made]))
        return len(made), len(gone)

    async def everything(self) -> tuple[int, list[Rule], list[Membership]]:
        rules = [policy.rule for policy in self._policies.values()]
        for role in self._roles.values():
            rules += _rules(role, role.permissions)
        memberships = [_held(given) for given in self._assignments.values()]
        groups = {row.id: row.urn for row in self._tables.groups.values()}
        for edge in self._tables.edges.values():
            if edge.relation == "member_of" and edge.target in groups:
                end = edge.expires_at.timestamp() if edge.expires_at else None
                memberships.append(Membership(self._urn(edge.source), groups[edge.target], "*", end))
        return self._tables.versions.get(ACCESS, 0), rules, memberships

    def _urn(self, subject: UUID) -> str:
        for table in (self._tables.persons, self._tables.machines, self._tables.groups):
            known = table.get(subject)
            if known is not None:
                return str(known.urn)
        return str(subject)

    def _put(self, policy: Policy) -> bool:
        known = self._policies.get(policy.rule[:5])
        if known is not None and known.rule == policy.rule:
            return False
        self._policies[policy.rule[:5]] = policy if known is None else replace(known, rule=policy.rule)
        return True

    async def _keep(self, role: Role, before: frozenset[str]) -> None:
        self._roles[role.name] = role
        changes = [Change(False, rule) for rule in _rules(role, before - role.permissions)]
        changes += [Change(True, rule) for rule in _rules(role, role.permissions - before)]
        self.revision = await self._feed.append(ACCESS, *told(changes))

    def _sorted(self) -> list[Assignment]:
        return sorted(self._assignments.values(), key=lambda held: held.id)


def _rules(role: Role, permissions: frozenset[str]) -> list[Rule]:
    return [Rule(role_subject(role.name), role.domain, *rule_parts(name)) for name in sorted(permissions)]


def _held(assignment: Assignment) -> Membership:
    end = assignment.expires_at.timestamp() if assignment.expires_at else None
    return Membership(assignment.subject, role_subject(assignment.role), assignment.domain, end)
