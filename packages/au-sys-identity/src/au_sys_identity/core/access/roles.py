"""Make, change and delete local roles."""

import re
from dataclasses import replace

from au_sys_identity.core.access import ceiling
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import (
    DEFAULT_DOMAIN,
    Assignment,
    Catalogue,
    Role,
    role_name,
    role_subject,
    rule_parts,
)
from au_sys_identity.core.access.rules import Change, Rule
from au_sys_identity.core.errors import Conflict, HasDependents, InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions

_NAME = re.compile(r"[a-z][a-z0-9_-]{1,62}")


class Roles:
    """Roles of this installation; contributed bundles are read-only."""

    def __init__(
        self,
        transactions: Transactions,
        decisions: Decisions,
        granting: Granting,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._granting = granting
        self._catalogue = catalogue
        self._clock = clock

    async def create(
        self, name: str, description: str, permissions: frozenset[str], *, by: str, requestable: bool = False
    ) -> Role:
        """Make a role.

        Raises:
            InvalidInput: bad name, or a permission that no capability contributes.
            Conflict: the name is taken.
            ExceedsOwnRights: the maker lacks one of the permissions.
        """
        bare = role_name(name)
        if not _NAME.fullmatch(bare):
            raise InvalidInput("name", "is not a role name", "Use 2 to 63 of a-z, 0-9, - and _, a letter first.")
        self._check_known(permissions)
        await self._granting.check_ceiling(by, permissions)
        if await self._decisions.role(bare):
            raise Conflict("name")
        made = Role(bare, description, permissions, requestable=requestable)
        async with self._transactions.writing() as unit:
            await unit.grants.add_role(made)
            unit.record(Fact("role.created", by, f"urn:au:role:{bare}"))
        return made

    async def change(
        self,
        name: str,
        *,
        by: str,
        description: str | None,
        permissions: frozenset[str] | None,
        requestable: bool | None = None,
    ) -> Role:
        """Replace description or permissions of a local role.

        Raises:
            NotFound: no local role of that name.
            ExceedsOwnRights: the caller lacks a permission that the role has or gets.
            LastAdmin: nobody would be left who may do everything.
        """
        async with self._transactions.reading() as unit:
            known = await unit.grants.role(role_name(name))
        if known is None:
            raise NotFound("role")
        changed = replace(
            known,
            description=known.description if description is None else description,
            permissions=known.permissions if permissions is None else permissions,
            version=known.version + 1,
            requestable=known.requestable if requestable is None else requestable,
        )
        self._check_known(changed.permissions - known.permissions)
        await self._granting.check_ceiling(by, changed.permissions)
        await self._check_where_it_counts(known.name, known.permissions | changed.permissions, by)
        engine = await self._decisions.policy.current()
        async with self._transactions.writing() as unit:
            await ceiling.refuse_losing_the_last_admin(unit, engine, changes_of(known, changed.permissions))
            await unit.grants.save_role(changed)
            unit.record(Fact("role.changed", by, f"urn:au:role:{known.name}"))
        return changed

    async def rehearse(self, name: str, permissions: frozenset[str]) -> list[Change]:
        """The rules that would come and go if a local role gave these permissions.

        Raises:
            NotFound: no local role of that name.
            InvalidInput: a permission that no capability contributes.
        """
        async with self._transactions.reading() as unit:
            known = await unit.grants.role(role_name(name))
        if known is None:
            raise NotFound("role")
        self._check_known(permissions - known.permissions)
        return changes_of(known, permissions)

    async def delete(self, name: str, *, by: str) -> None:
        """Delete a local role that nobody holds.

        Raises:
            NotFound: no local role of that name.
            HasDependents: subjects hold it.
        """
        bare = role_name(name)
        async with self._transactions.writing() as unit:
            if await unit.grants.role(bare) is None:
                raise NotFound("role")
            holders = await unit.grants.holders(bare)
            if holders:
                raise HasDependents(tuple(held.subject for held in holders), "Withdraw the role from them first.")
            await unit.grants.remove_role(bare)
            unit.record(Fact("role.deleted", by, f"urn:au:role:{bare}"))

    async def members(self, name: str) -> list[Assignment]:
        """Who holds a role by assignment, run-out ones left out.

        Raises:
            NotFound: no role of that name.
        """
        bare = role_name(name)
        if await self._decisions.role(bare) is None:
            raise NotFound("role")
        now = self._clock()
        async with self._transactions.reading() as unit:
            return [held for held in await unit.grants.holders(bare) if held.counts(now)]

    async def _check_where_it_counts(self, name: str, permissions: frozenset[str], by: str) -> None:
        async with self._transactions.reading() as unit:
            held = await unit.grants.holders(name)
        for domain in sorted({DEFAULT_DOMAIN, *(one.domain for one in held)}):
            await self._granting.check_ceiling(by, permissions, domain=domain)

    def _check_known(self, permissions: frozenset[str]) -> None:
        for wanted in sorted(permissions):
            if wanted not in self._catalogue.permissions:
                raise InvalidInput("permissions", f"{wanted} is unknown", "GET /rbac/permissions lists them all.")


def changes_of(role: Role, permissions: frozenset[str]) -> list[Change]:
    """The rules that come and go when a role gives these permissions instead of its own."""
    gone = [(False, name) for name in sorted(role.permissions - permissions)]
    made = [(True, name) for name in sorted(permissions - role.permissions)]
    subject = role_subject(role.name)
    return [Change(add, Rule(subject, role.domain, *rule_parts(name))) for add, name in (*gone, *made)]
