"""Make, change and delete local roles."""

import re
from dataclasses import replace

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import Catalogue, Role, role_name
from au_sys_identity.core.errors import Conflict, HasDependents, InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS
from au_sys_identity.core.ports import Transactions

_NAME = re.compile(r"[a-z][a-z0-9_-]{1,62}")


class Roles:
    """Roles of this installation; contributed bundles are read-only."""

    def __init__(
        self,
        transactions: Transactions,
        decisions: Decisions,
        granting: Granting,
        catalogue: Catalogue,
    ) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._granting = granting
        self._catalogue = catalogue

    async def create(self, name: str, description: str, permissions: frozenset[str], *, by: str) -> Role:
        """Make a role.

        Raises:
            InvalidInput: bad name, or a permission that no capability contributes.
            Conflict: the name is taken.
            ExceedsOwnRights: the maker lacks one of the permissions.
        """
        bare = role_name(name)
        if not _NAME.fullmatch(bare):
            raise InvalidInput("name", "is not a role name", "Use 2 to 63 of a-z, 0-9, - and _, a letter first.")
        await self._check(permissions, by)
        if await self._decisions.role(bare):
            raise Conflict("name")
        made = Role(bare, description, permissions)
        async with self._transactions.writing() as unit:
            await unit.grants.add_role(made)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("role.created", by, f"urn:au:role:{bare}"))
        return made

    async def change(self, name: str, *, by: str, description: str | None, permissions: frozenset[str] | None) -> Role:
        """Replace description or permissions of a local role.

        Raises:
            NotFound: no local role of that name.
            ExceedsOwnRights: the caller lacks a permission that the role has or gets.
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
        )
        await self._check(changed.permissions, by)
        await self._granting.check_ceiling(by, known.permissions)
        async with self._transactions.writing() as unit:
            await unit.grants.save_role(changed)
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("role.changed", by, f"urn:au:role:{known.name}"))
        return changed

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
            await unit.versions.raise_topic(ACCESS)
            unit.record(Fact("role.deleted", by, f"urn:au:role:{bare}"))

    async def _check(self, permissions: frozenset[str], by: str) -> None:
        for wanted in sorted(permissions):
            if wanted not in self._catalogue.permissions:
                raise InvalidInput("permissions", f"{wanted} is unknown", "GET /rbac/permissions lists them all.")
        await self._granting.check_ceiling(by, permissions)
