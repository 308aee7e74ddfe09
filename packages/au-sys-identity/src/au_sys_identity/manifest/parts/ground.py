"""What every service of identity is built on: database, root key, cookies, hashes, settings in force."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher, HashCost, Pepper
from au_sys_identity.adapters.crypto.breach_list import HashFile
from au_sys_identity.adapters.crypto.breach_range import POLICY, PwnedRange
from au_sys_identity.adapters.crypto.sealing import RootKey, key_file, parsed_key
from au_sys_identity.adapters.crypto.webauthn_ceremony import WebauthnCeremony
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.email.folder import FolderPost
from au_sys_identity.adapters.email.smtp import MailServer, SmtpPost
from au_sys_identity.adapters.limits.windows import LibraryWindows
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.notices.ports import Post
from au_sys_identity.core.sessions.models import SessionTimes
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.rules import Rules
from au_sys_identity.manifest.runtime_settings import LiveSettings, SettingsRead
from fastapi_services_platform import (
    Database,
    PlatformSettings,
    open_guarded_client,
)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class UnsafeSetting(ValueError):
    """A setting that production does not start with; the message names it and the fix."""


def utc_now() -> datetime:
    """The clock of the product."""
    return datetime.now(UTC)


def root_key(settings: IdentitySettings, platform: PlatformSettings) -> RootKey:
    """The root key: given, or outside production kept in a file that only its owner reads.

    Raises:
        UnsafeSetting: production, and none is given.
    """
    previous = settings.secret_key_previous
    before = parsed_key(previous.get_secret_value()) if previous is not None else None
    if settings.secret_key is not None:
        return RootKey(parsed_key(settings.secret_key.get_secret_value()), before)
    if platform.environment == "prod":
        raise UnsafeSetting(
            "IDENTITY_SECRET_KEY is missing. Set it to 32 random bytes in base64: "
            "python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
        )
    return RootKey(partial(key_file, Path(platform.data_dir) / "identity.key"), before)


def cookie_names(platform: PlatformSettings) -> CookieNames:
    """Cookies without ``Secure`` only where nothing leaves the machine.

    Raises:
        UnsafeSetting: production on plain http more loopback.
    """
    url = urlsplit(platform.public_url)
    if url.scheme == "https":
        return CookieNames(secure=True)
    if platform.environment == "prod" and "public_url" not in platform.model_fields_set:
        raise UnsafeSetting("FSP_PUBLIC_URL is missing in production. Set it to the address that browsers use.")
    if platform.environment == "prod" and url.hostname not in _LOOPBACK:
        raise UnsafeSetting("FSP_PUBLIC_URL is plain http in production. Serve the platform over https.")
    return CookieNames(secure=False)


def ceremony_of(platform: PlatformSettings) -> WebauthnCeremony:
    """Passkeys for the host of the public address, and for no other."""
    url = urlsplit(platform.public_url)
    return WebauthnCeremony(url.hostname or "localhost", platform.name, f"{url.scheme}://{url.netloc}")


def post_of(settings: IdentitySettings, platform: PlatformSettings) -> Post:
    """Where letters go: a mail server, or a folder in the data folder."""
    url = settings.mail_url.get_secret_value() if settings.mail_url else ""
    if url.startswith(("smtp://", "smtps://")):
        trusted = str(settings.mail_certificates) if settings.mail_certificates else None
        return SmtpPost(MailServer.parse(url), sender=settings.mail_from, site=platform.name, certificates=trusted)
    folder = Path(urlsplit(url).path) if url else Path(platform.data_dir) / "outbox"
    return FolderPost(folder, sender=settings.mail_from, site=platform.name)


@dataclass(frozen=True, slots=True)
class Base:
    """What the services are built on."""

    settings: IdentitySettings
    platform: PlatformSettings
    transactions: SqlTransactions
    root: RootKey
    cookies: CookieNames
    hasher: Argon2Hasher
    in_force: Rules
    live: LiveSettings
    runtime: RuntimeSettings
    freshness: Freshness
    windows: LibraryWindows
    graph: LiveGraph
    online: PwnedRange

    @property
    def times(self) -> SessionTimes:
        """How long sessions last."""
        return self.in_force.times

    @property
    def rules(self) -> PasswordRules:
        """What a new password must be."""
        return self.in_force.passwords

    @property
    def lockout(self) -> Lockout:
        """When a guess has to wait."""
        return self.in_force.lockout


def base_of(database: Database, platform: PlatformSettings, settings: IdentitySettings) -> Base:
    """Build it.

    Raises:
        UnsafeSetting: production refuses a setting.
    """
    breach_list = HashFile.read(settings.breach_list) if settings.breach_list else HashFile.shipped()
    online = PwnedRange(open_guarded_client(POLICY))
    root = root_key(settings, platform)
    transactions = SqlTransactions(database, PersonalKeys(root), utc_now)
    freshness, read, in_force = Freshness(transactions), SettingsRead(settings), Rules.of(settings, breach_list, online)
    runtime = RuntimeSettings(read.catalogue, read.value, read.check, transactions, root, freshness, utc_now)
    live = LiveSettings(settings, read, runtime)
    live.follow(in_force.follow)
    return Base(
        settings,
        platform,
        transactions,
        root,
        cookie_names(platform),
        Argon2Hasher(
            HashCost(settings.password_memory_kib, settings.password_time_cost, settings.password_parallelism),
            threads=settings.hash_threads,
            queue=settings.hash_queue,
            pepper=Pepper(root, settings.password_pepper),
        ),
        in_force,
        live,
        runtime,
        freshness,
        LibraryWindows(settings.redis_url.get_secret_value() if settings.redis_url else None),
        LiveGraph(transactions, freshness, utc_now),
        online,
    )
