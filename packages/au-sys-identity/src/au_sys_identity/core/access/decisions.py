"""May this subject do this? Answered from memory, with the reason."""

from typing import Protocol

from au_sys_identity.core.access.live import LivePolicy
from au_sys_identity.core.access.models import (
    DEFAULT_DOMAIN,
    PLATFORM_ADMIN,
    Catalogue,
    Decision,
    Role,
    covers,
    permission_of,
    role_name,
)
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import SubjectId

_EVERYTHING = Role(PLATFORM_ADMIN, "Everything, everywhere", frozenset({"*"}), protected=True, source="bundle")


class Narrowing(Protocol):
    """Takes from a program what those do not hold on whom its rights depend."""

    async def narrowed(
        self, subject: SubjectId, delegation: str | None, permission: str, *, domain: str, object_id: str
    ) -> Decision: ...


class Decisions:
    """Answers for every request; nothing matches means no."""

    def __init__(self, transactions: Transactions, catalogue: Catalogue, policy: LivePolicy) -> None:
        self._transactions = transactions
        self._catalogue = catalogue
        self.policy = policy
        self.narrowing: Narrowing | None = None
        self._roles: tuple[int, dict[str, Role]] | None = None

    async def decide(
        self,
        subject: str,
        permission: str,
        *,
        person: bool = True,
        scopes: frozenset[str] | None = None,
        domain: str = DEFAULT_DOMAIN,
        object_id: str = "",
    ) -> Decision:
        """Whether a subject itself holds a permission. ``scopes`` narrow, and never widen, what its rules give."""
        if scopes is not None and not any(covers(scope, permission) for scope in scopes):
            return Decision(False, f"The key or token is not scoped for {permission}.")
        engine = await self.policy.current()
        *path, action = permission.split(".")
        resource = f"/{'/'.join(path)}/{object_id}"
        if not engine.enforce(subject, domain, resource, action):
            return Decision(False, f"No role of yours gives {permission}.", revision=engine.revision)
        return Decision(True, f"Your rules give {permission}.", revision=engine.revision)

    async def holds(
        self, caller: Principal, permission: str, *, domain: str = DEFAULT_DOMAIN, object_id: str = ""
    ) -> bool:
        """Whether a caller holds a permission, within the scopes of the credential and what narrows a program."""
        found = await self.decide(
            caller.urn,
            permission,
            person=caller.kind == "person",
            scopes=caller.scopes,
            domain=domain,
            object_id=object_id,
        )
        if not found.allowed or self.narrowing is None or caller.kind == "person":
            return found.allowed
        delegation = getattr(caller, "delegation_id", None)
        narrowed = await self.narrowing.narrowed(caller.id, delegation, permission, domain=domain, object_id=object_id)
        return narrowed.allowed

    async def roles_of(self, subject: str, *, person: bool = True, domain: str = DEFAULT_DOMAIN) -> list[Role]:
        """Every role that counts for a subject now, nearest first; the default bundles are every person's."""
        engine = await self.policy.current()
        known = await self._known_roles(engine)
        names = [role_name(held.role) for held in engine.get_implicit_roles_for_user(subject, domain)]
        return [known[name] for name in dict.fromkeys(names) if name in known]

    async def permissions_of(
        self, subject: str, *, person: bool = True, domain: str = DEFAULT_DOMAIN
    ) -> frozenset[str]:
        """All permission patterns of a subject."""
        engine = await self.policy.current()
        rules = [given.rule for given in engine.get_implicit_permissions_for_user(subject, domain)]
        found = {permission_of(rule.resource, rule.action) for rule in rules if rule.effect == "allow"}
        return frozenset(permission for permission in found if permission)

    async def role(self, name: str) -> Role | None:
        """A role by name: shipped, contributed or local."""
        return (await self._known_roles(await self.policy.current())).get(name)

    async def all_roles(self) -> list[Role]:
        """Every role that can be given, by name."""
        known = await self._known_roles(await self.policy.current())
        return sorted(known.values(), key=lambda role: role.name)

    async def _known_roles(self, engine: PolicyEngine) -> dict[str, Role]:
        kept = self._roles
        if kept is None or kept[0] != engine.revision:
            revision = engine.revision
            async with self._transactions.reading() as unit:
                local = {role.name: role for role in await unit.grants.roles()}
            kept = self._roles = (revision, {**local, **self._catalogue.bundles, PLATFORM_ADMIN: _EVERYTHING})
        return kept[1]
