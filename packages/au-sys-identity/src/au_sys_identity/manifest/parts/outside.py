"""Build what leads to accounts elsewhere: directories and login providers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.ldap.directory import LdapDirectories
from au_sys_identity.adapters.oauth.login import OutsideLogin
from au_sys_identity.adapters.oauth.provider_metadata import ProviderDirectory
from au_sys_identity.adapters.web.arriving.choices import WaysIn
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.directories.administration import OutsideAdministration
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.directories.providers import Provider
from au_sys_identity.core.directories.provisioning import Provisioning
from au_sys_identity.core.directories.sign_in import DirectorySignIn
from au_sys_identity.core.directories.syncing import Syncing
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.sessions.entering import Entering
from au_sys_identity.core.sessions.models import SessionTimes
from au_sys_identity.core.settings.lists import NamedList
from au_sys_identity.manifest.config import IdentitySettings
from fastapi_services_platform import GuardedClient, OutboundPolicy, PlatformSettings, open_guarded_client


@dataclass(frozen=True, slots=True)
class Ground:
    """What directories and providers are built on."""

    settings: IdentitySettings
    platform: PlatformSettings
    transactions: SqlTransactions
    root: RootKey
    freshness: Freshness
    granting: Granting
    lockout: Lockout
    times: SessionTimes
    clock: Clock


@dataclass(frozen=True, slots=True)
class Outside:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types
    syncing: Syncing
    client: GuardedClient

    def follow(self, settings: IdentitySettings) -> None:
        """Become what the settings say now."""
        self.syncing.limit = settings.sync_disable_limit

    async def sync(self, every_seconds: int | None) -> None:
        """Run the directories that are due."""
        await self.syncing.run_due(timedelta(seconds=every_seconds) if every_seconds else None)


def outside(ground: Ground) -> Outside:
    """Build them.

    Raises:
        ConfigurationError: ``IDENTITY_OUTBOUND_ALLOW`` cannot be read.
    """
    settings, transactions, clock = ground.settings, ground.transactions, ground.clock
    client = open_guarded_client(
        OutboundPolicy(
            schemes=("https",) if ground.platform.environment == "prod" else ("https", "http"),
            allow=tuple(settings.outbound_allow.replace(",", " ").split()),
            json_only=True,
        )
    )
    pinned = settings.ldap.get_secret_value() if settings.ldap else None
    listed = (transactions, ground.root, ground.freshness, clock)
    directories: NamedList[Directory] = NamedList("LDAP", Directory.read, pinned, *listed)
    pinned = settings.providers.get_secret_value() if settings.providers else None
    providers: NamedList[Provider] = NamedList("PROVIDERS", Provider.read, pinned, *listed)
    source, provisioning = LdapDirectories(), Provisioning(clock)
    login = OutsideLogin(ProviderDirectory(client), clock, public_url=ground.platform.public_url)
    entering, linking = Entering(clock, times=ground.times), Linking(transactions, clock)
    limit = settings.sync_disable_limit
    syncing = Syncing(transactions, directories, source, provisioning, clock, limit=limit)
    by_directory = DirectorySignIn(
        transactions, directories, source, provisioning, entering, ground.root, clock, lockout=ground.lockout
    )
    by_provider = OutsideSignIn(transactions, providers, login, linking, entering, ground.root, clock)
    services: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        DirectorySignIn: by_directory,
        OutsideSignIn: by_provider,
        WaysIn: WaysIn(by_directory, by_provider),
        Linking: linking,
        Syncing: syncing,
        OutsideAdministration: OutsideAdministration(directories, providers, source, login, ground.granting),
    }
    return Outside(services, syncing, client)
