"""GrantStore, VersionStore and PolicyEngine protocols."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.access.models import Assignment, Policy, PolicyFilter, Role
from au_sys_identity.core.access.rules import (
    Asked,
    Change,
    Difference,
    Given,
    Held,
    Invariant,
    Membership,
    Proof,
    Question,
    Rule,
)


class GrantStore(Protocol):
    """Local roles, who holds which role, and rules. Each change is told in the feed of the same transaction.

    ``revision`` is that of the last change made here; 0 when there was none.
    """

    @property
    def revision(self) -> int: ...

    async def roles(self) -> list[Role]: ...

    async def role(self, name: str) -> Role | None: ...

    async def add_role(self, role: Role) -> None:
        """Keep a new role.

        Raises:
            Conflict: the name is taken.
        """

    async def save_role(self, role: Role) -> None: ...

    async def remove_role(self, name: str) -> None: ...

    async def assign(self, assignment: Assignment) -> bool:
        """Keep an assignment; ``False`` when the subject holds the role in that domain already."""

    async def withdraw(self, subject: str, role: str, domain: str) -> bool: ...

    async def of_subject(self, subject: str) -> list[Assignment]: ...

    async def holders(self, role: str) -> list[Assignment]: ...

    async def policy(self, policy_id: UUID) -> Policy | None: ...

    async def find_policy(self, rule: Rule) -> Policy | None:
        """The kept rule of the same five parts."""

    async def policies(self, wanted: PolicyFilter) -> list[Policy]:
        """Rules in the order of their ids."""

    async def change(
        self,
        *,
        add: Sequence[Policy] = (),
        remove: Sequence[Rule] = (),
        assign: Sequence[Assignment] = (),
        withdraw: Sequence[Membership] = (),
    ) -> tuple[int, int]:
        """Make many changes under one revision: how many were new, how many were there and are gone."""

    async def everything(self) -> tuple[int, list[Rule], list[Membership]]:
        """The revision, every rule, and every membership: assignments, and belonging to groups."""


class VersionStore(Protocol):
    """A number per topic that grows in the transaction of each change, so that every process notices."""

    async def read(self) -> Mapping[str, int]: ...

    async def raise_topic(self, topic: str) -> int: ...


class PolicyEngine(Protocol):
    """Decides from memory, in Casbin's words. Nothing here waits."""

    @property
    def revision(self) -> int: ...

    @property
    def counts(self) -> tuple[int, int]: ...

    def load_policy(
        self, rules: Iterable[Rule], memberships: Iterable[Membership] = (), revision: int | None = None
    ) -> int: ...

    def save_policy(self) -> tuple[list[Rule], list[Membership]]: ...

    def apply(self, changes: Sequence[Change], revision: int | None = None) -> int: ...

    def enforce(self, subject: str, domain: str, resource: str, action: str) -> bool: ...

    def batch_enforce(self, questions: Sequence[Asked]) -> list[bool]: ...

    def enforce_ex(self, subject: str, domain: str, resource: str, action: str) -> Proof: ...

    def get_filtered_policy(self, subject: str | None = None, domain: str | None = None) -> list[Rule]: ...

    def get_implicit_roles_for_user(self, subject: str, domain: str) -> list[Held]: ...

    def get_implicit_permissions_for_user(self, subject: str, domain: str) -> list[Given]: ...

    def get_implicit_users_for_permission(self, domain: str, resource: str, action: str) -> set[str]: ...

    def members_of(self, name: str, domain: str) -> set[str]: ...

    def all_users(self) -> set[str]: ...

    def all_domains(self) -> set[str]: ...

    def after(self, changes: Sequence[Change]) -> "PolicyEngine": ...

    def preview(self, changes: Sequence[Change], limit: int = 1000) -> Difference: ...

    def prove(self, invariant: Invariant, subjects: Iterable[str]) -> tuple[Question, Proof] | None: ...
