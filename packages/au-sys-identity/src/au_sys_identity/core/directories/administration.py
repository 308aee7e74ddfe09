"""Set up directories and login providers while the platform runs; nobody maps a group to more than they hold."""

from collections.abc import Mapping, Sequence

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.directories.ports import DirectorySource, FederatedLogin
from au_sys_identity.core.directories.providers import Provider
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.settings.lists import NamedList


class OutsideAdministration:
    """Directories and login providers of the installation."""

    def __init__(
        self,
        directories: NamedList[Directory],
        providers: NamedList[Provider],
        source: DirectorySource,
        login: FederatedLogin,
        granting: Granting,
    ) -> None:
        self.directories = directories
        self.providers = providers
        self._source = source
        self._login = login
        self._granting = granting

    async def directory(self, name: str) -> Directory:
        """One directory.

        Raises:
            NotFound: there is none of that name.
        """
        found = await self.directories.get(name)
        if found is None:
            raise NotFound("directory")
        return found

    async def provider(self, name: str) -> Provider:
        """One login provider.

        Raises:
            NotFound: there is none of that name.
        """
        found = await self.providers.get(name)
        if found is None:
            raise NotFound("login provider")
        return found

    async def keep_directory(self, given: Mapping[str, object], *, by: str, new: bool) -> Directory:
        """Add or change a directory. An empty password leaves the one that is kept.

        Raises:
            InvalidInput, NotFound, ExceedsOwnRights: a field, a role, or more than the caller holds.
            SettingPinned, Conflict, Stale: see :class:`~au_sys_identity.core.settings.lists.NamedList`.
        """
        known = None if new else await self.directories.get(str(given.get("name", "")))
        kept = {**given, "password": given.get("password") or (known.password if known else "")}
        directory = Directory.read(kept)
        self._source.check(directory)
        for role in sorted(set(directory.roles.values())):
            await self._granting.check_grantable(role, by=by)
        await self.directories.keep(directory, by=by, new=new)
        return directory

    async def check_roles(self, given: object, by: str) -> None:
        """Whether everything that these directories hand out is the caller's to give.

        Raises:
            ExceedsOwnRights: a group is mapped to a role that holds more than the caller.
        """
        entries = [entry for entry in given if isinstance(entry, Mapping)] if isinstance(given, Sequence) else []
        mapped = [entry["roles"] for entry in entries if isinstance(entry.get("roles"), Mapping)]
        for role in sorted({str(role) for roles in mapped for role in roles.values()}):
            await self._granting.check_grantable(role, by=by)

    async def keep_provider(self, given: Mapping[str, object], *, by: str, new: bool) -> Provider:
        """Add or change a login provider. An empty secret leaves the one that is kept.

        Raises:
            InvalidInput, SettingPinned, Conflict, Stale: as :meth:`keep_directory`.
        """
        known = None if new else await self.providers.get(str(given.get("name", "")))
        kept = {**given, "client_secret": given.get("client_secret") or (known.client_secret if known else "")}
        provider = Provider.read(kept)
        await self.providers.keep(provider, by=by, new=new)
        return provider

    async def try_directory(self, name: str) -> int:
        """How many people a first look finds.

        Raises:
            NotFound, DirectoryUnreachable: there is none, or it does not answer.
        """
        return await self._source.probe(await self.directory(name))

    async def try_provider(self, name: str) -> str:
        """Where browsers would be sent.

        Raises:
            NotFound, ProviderUnreachable: there is none, or it does not answer.
        """
        return await self._login.probe(await self.provider(name))
