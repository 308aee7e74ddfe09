"""What the platform's search finds of identity: people, machines, groups and roles."""

from collections.abc import Sequence

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.groups.administration import Groups
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.machines.accounts import Machines
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.subjects.ports import PersonFilter
from fastapi_services_platform import Found, Platform, Principal, Search


class Places:
    """Asks the same verbs as the pages do."""

    def __init__(self, platform: Platform) -> None:
        self._container = platform.container

    def all(self) -> tuple[Search, ...]:
        """Each with the permission of the page that it leads to."""
        return (
            Search("People", self._people, "identity.users.read", order=200),
            Search("Machines", self._machines, "identity.machines.read", order=210),
            Search("Groups", self._groups, "identity.groups.read", order=220),
            Search("Roles", self._roles, "identity.roles.read", order=230),
        )

    async def _people(self, _who: Principal, words: str, _language: str, limit: int) -> Sequence[Found]:
        accounts = await self._container.get(Accounts)
        people = await accounts.page(PersonFilter(q=words[:120], limit=limit))
        return [Found(one.display_name, f"/admin/identity/users/{one.id}", one.email, "person") for one in people]

    async def _machines(self, _who: Principal, words: str, _language: str, limit: int) -> Sequence[Found]:
        machines = await self._container.get(Machines)
        found = await machines.page(MachineFilter(q=words[:120], limit=limit))
        return [
            Found(one.machine.name, f"/admin/identity/graph/{one.machine.urn}", one.machine.purpose, "key")
            for one in found
        ]

    async def _groups(self, _who: Principal, words: str, _language: str, limit: int) -> Sequence[Found]:
        groups = await self._container.get(Groups)
        found = await groups.page(GroupFilter(q=words[:120], limit=limit))
        return [Found(one.name, f"/admin/identity/groups/{one.id}", one.description, "people") for one in found]

    async def _roles(self, _who: Principal, words: str, _language: str, limit: int) -> Sequence[Found]:
        decisions = await self._container.get(Decisions)
        asked = words.casefold()
        fits = [role for role in await decisions.all_roles() if asked in f"{role.name} {role.description}".casefold()]
        return [
            Found(role.name, f"/admin/identity/roles/{role.name}", role.description, "shield") for role in fits[:limit]
        ]
