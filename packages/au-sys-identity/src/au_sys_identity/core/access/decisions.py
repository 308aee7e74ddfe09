"""May this subject do this? Answered from memory, with the reason."""

from dataclasses import dataclass, field

from au_sys_identity.core.access.models import PLATFORM_ADMIN, Assignment, Catalogue, Decision, Role, covers
from au_sys_identity.core.freshness import ACCESS, Freshness
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal

_EVERYTHING = Role(PLATFORM_ADMIN, "Everything, everywhere", frozenset({"*"}), protected=True, source="bundle")


@dataclass(slots=True)
class _Rules:
    """Local roles, and assignments by subject as they are asked for, all of one version."""

    version: int
    roles: dict[str, Role]
    assignments: dict[str, list[Assignment]] = field(default_factory=dict)


class Decisions:
    """Answers for every request; nothing matches means no."""

    def __init__(self, transactions: Transactions, freshness: Freshness, catalogue: Catalogue, clock: Clock) -> None:
        self._transactions = transactions
        self._freshness = freshness
        self._catalogue = catalogue
        self._clock = clock
        self._rules: _Rules | None = None

    async def decide(
        self, subject: str, permission: str, *, person: bool, scopes: frozenset[str] | None = None
    ) -> Decision:
        """Whether a subject holds a permission. ``scopes`` narrow, and never widen, what its roles give."""
        if scopes is not None and not any(covers(scope, permission) for scope in scopes):
            return Decision(False, f"The key or token is not scoped for {permission}.")
        for role in await self.roles_of(subject, person=person):
            if any(covers(pattern, permission) for pattern in role.permissions):
                return Decision(True, f"Given by the role {role.name}.", via=role.name)
        return Decision(False, f"No role of yours gives {permission}.")

    async def holds(self, caller: Principal, permission: str) -> bool:
        """Whether a caller holds a permission, within the scopes of the credential."""
        found = await self.decide(caller.urn, permission, person=caller.kind == "person", scopes=caller.scopes)
        return found.allowed

    async def roles_of(self, subject: str, *, person: bool) -> list[Role]:
        """Every role that counts for a subject now; the default bundles are every person's."""
        rules = await self._current()
        held = rules.assignments.get(subject)
        if held is None:
            async with self._transactions.reading() as unit:
                held = await unit.grants.of_subject(subject)
            rules.assignments[subject] = held
        now = self._clock()
        roles = [found for grant in held if grant.counts(now) and (found := self._role(rules, grant.role))]
        if person:
            roles.extend(bundle for bundle in self._catalogue.bundles.values() if bundle.default)
        return roles

    async def permissions_of(self, subject: str, *, person: bool) -> frozenset[str]:
        """All permission patterns of a subject."""
        roles = await self.roles_of(subject, person=person)
        return frozenset(permission for role in roles for permission in role.permissions)

    async def role(self, name: str) -> Role | None:
        """A role by name: shipped, contributed or local."""
        return self._role(await self._current(), name)

    async def all_roles(self) -> list[Role]:
        """Every role that can be given, by name."""
        rules = await self._current()
        known = {**rules.roles, **self._catalogue.bundles, PLATFORM_ADMIN: _EVERYTHING}
        return sorted(known.values(), key=lambda role: role.name)

    def _role(self, rules: _Rules, name: str) -> Role | None:
        if name == PLATFORM_ADMIN:
            return _EVERYTHING
        return self._catalogue.bundles.get(name) or rules.roles.get(name)

    async def _current(self) -> _Rules:
        version = await self._freshness.version(ACCESS)
        rules = self._rules
        if rules is None or rules.version != version:
            async with self._transactions.reading() as unit:
                rules = _Rules(version, {role.name: role for role in await unit.grants.roles()})
            self._rules = rules
        return rules
