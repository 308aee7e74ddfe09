"""Settings choose adapters, build services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher
from au_sys_identity.adapters.crypto.bootstrap_token import BootstrapToken
from au_sys_identity.adapters.crypto.breach_range import PwnedRange
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.crypto.signing_keys import SigningKeys
from au_sys_identity.adapters.db.change_feed import ChangeFeed
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.limits.windows import LibraryWindows
from au_sys_identity.adapters.web.own.security import OwnAccess, SecurityPage
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.accounts.bootstrap import Bootstrap
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.directories.administration import OutsideAdministration
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.directories.sign_in import DirectorySignIn
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.notices.sending import Delivery
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.tokens.keys import ApiKeys
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.parts.acting import Footing, acting
from au_sys_identity.manifest.parts.arriving import arriving
from au_sys_identity.manifest.parts.auditing import Auditing, auditing
from au_sys_identity.manifest.parts.gathering import gathering
from au_sys_identity.manifest.parts.ground import Base, base_of, post_of, utc_now
from au_sys_identity.manifest.parts.heart import Heart, heart_of, services_of
from au_sys_identity.manifest.parts.outside import Ground, Outside, outside
from au_sys_identity.manifest.parts.policing import back_up_before_reset
from au_sys_identity.manifest.parts.recovering import Ground as RecoveryGround
from au_sys_identity.manifest.parts.recovering import Recovery, recovering
from au_sys_identity.manifest.runtime_settings import LiveSettings
from fastapi_services_platform import (
    Database,
    PlatformSettings,
    Service,
    blocking,
    get_logger,
)

_logger = get_logger(__name__)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that identity is made of, built and not yet opened."""

    settings: IdentitySettings
    transactions: SqlTransactions
    hasher: Argon2Hasher
    keys: SigningKeys
    catalogue: Catalogue
    registration: Registration
    bootstrap: Bootstrap
    bootstrap_token: BootstrapToken
    delivery: Delivery
    services: tuple[Service, ...]
    outside: Outside
    root: RootKey
    live: LiveSettings
    log: Auditing
    recovery: Recovery
    windows: LibraryWindows
    online: PwnedRange
    feed: ChangeFeed

    async def prepare(self) -> None:
        """Make what the first request would wait for, and tell the operator where the first administrator begins."""
        await blocking(self.root.open)
        await self.feed.start()
        await self.live.start()
        await self.recovery.restoring.end_maintenance()
        await self.keys.ensure()
        if await self.bootstrap.open():
            path = await blocking(self.bootstrap_token.write)
            if path is not None:
                _logger.info("bootstrap.open", token_file=str(path))

    async def close(self) -> None:
        """Finish the hashes under way, and hang up."""
        await self.feed.stop()
        await self.live.stop()
        self.hasher.close()
        await self.outside.client.close()
        await self.recovery.vault.close()
        await self.windows.close()
        await self.online.close()

    async def sync_directories(self) -> None:
        """Run the directories that are due."""
        await self.outside.sync(self.live.current.sync_every)

    async def drop_audit(self) -> None:
        """Let go of events that are older than they are to be kept."""
        await self.log.keeping.drop(days=self.live.current.audit_keep)

    async def forget(self) -> None:
        """Delete sessions that ended a month ago, and challenges and counters that count no more."""
        now = utc_now()
        async with self.transactions.writing() as unit:
            await unit.sessions.forget_ended_before(now - timedelta(days=30))
            await unit.factors.forget_expired(now)
            await unit.used_values.forget_expired(now)
            await unit.one_time_tokens.forget_expired(now)
            await unit.invitations.forget_before(now - timedelta(days=30))
            await unit.notices.forget_before(now - timedelta(days=366))
            await unit.mfa_windows.forget_expired(now)
            await unit.approvals.forget_before(now - timedelta(days=30))
            await unit.guesses.forget_before(now - timedelta(days=1))
            await unit.feed.forget_before(now - timedelta(days=1))


def wire(database: Database, platform: PlatformSettings, settings: IdentitySettings | None = None) -> Wiring:
    """Build the services on a database. It reads files: call it where blocking is allowed.

    Raises:
        UnsafeSetting: production refuses a setting.
    """
    base = base_of(database, platform, settings or IdentitySettings())
    heart = heart_of(base)
    built = services_of(base, heart)
    built.update(_together(base, heart))
    more = _elsewhere(base, heart, built)
    log = auditing(base.settings, base.transactions, base.root, utc_now, more.client)
    built.update(log.services)
    recovery = _recovery(base, heart, log)
    built.update(recovery.services)
    back_up_before_reset(built, recovery.backups)
    built.update(_acts(base, heart, log))
    services = tuple(Service(interface, _giving(service)) for interface, service in built.items())
    return Wiring(
        settings=base.settings,
        transactions=base.transactions,
        hasher=base.hasher,
        keys=heart.keys,
        catalogue=heart.catalogue,
        registration=heart.registration,
        bootstrap=heart.bootstrap,
        bootstrap_token=heart.bootstrap_token,
        delivery=_delivery(base, heart.letters),
        services=services,
        outside=more,
        root=base.root,
        live=base.live,
        log=log,
        recovery=recovery,
        windows=base.windows,
        online=base.online,
        feed=ChangeFeed(database, base.freshness.expire),
    )


def _together(base: Base, heart: Heart) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """Graph, groups and organizations; and how invited people arrive."""
    transactions, letters, granting = base.transactions, heart.letters, heart.granting
    together = gathering(
        base.settings,
        base.graph,
        transactions,
        base.root,
        letters=letters,
        decisions=heart.decisions,
        granting=granting,
        clock=utc_now,
    )
    site = base.platform.name
    arrivals = arriving(transactions, heart.registration, granting, letters, utc_now, site=site)
    base.live.follow(arrivals.follow)
    return {**together.services, **arrivals.services}


def _elsewhere(base: Base, heart: Heart, built: dict[type[Any], object]) -> Outside:  # Any: as above
    """Directories and outside logins, and the page that shows what leads into an account."""
    ground = Ground(
        base.settings,
        base.platform,
        base.transactions,
        base.root,
        base.freshness,
        heart.granting,
        base.lockout,
        base.times,
        utc_now,
    )
    more = outside(ground)
    built.update(more.services)
    base.live.follow(more.follow)
    base.runtime.guard("LDAP", _built(built, OutsideAdministration).check_roles)
    heart.steps.elsewhere = _built(built, DirectorySignIn)
    links, ways = _built(built, Linking), _built(built, OutsideSignIn)
    own = OwnAccess(_built(built, ApiKeys), links, ways, heart.decisions, heart.catalogue)
    passkeys = _built(built, Passkeys)
    built[SecurityPage] = SecurityPage(heart.enrolment, passkeys, heart.sessions, base.cookies, own)
    return more


def _recovery(base: Base, heart: Heart, log: Auditing) -> Recovery:
    """Backups, undo and restore."""
    ground = RecoveryGround(
        base.settings,
        base.platform,
        base.transactions,
        base.root,
        log.sequencing,
        heart.granting,
        heart.decisions,
        base.runtime,
        utc_now,
    )
    recovery = recovering(ground, lambda: base.live.current)
    base.live.follow(recovery.follow)
    return recovery


def _acts(base: Base, heart: Heart, log: Auditing) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """Approvals, delegations and requests."""
    footing = Footing(
        base.settings,
        base.platform,
        base.transactions,
        base.root,
        heart.decisions,
        heart.granting,
        heart.steps,
        heart.passkeys,
        heart.letters,
        heart.access_tokens,
        utc_now,
    )
    acts = acting(footing, log.audit)
    base.live.follow(acts.follow)
    return acts.services


def _delivery(base: Base, letters: LetterBox) -> Delivery:
    settings, platform = base.settings, base.platform
    links = base.in_force.links
    post = post_of(settings, platform)
    return Delivery(base.transactions, letters, post, utc_now, public_url=platform.public_url, times=links)


def _built(services: Mapping[type[Any], object], wanted: type[Made]) -> Made:  # Any: interfaces of unrelated types
    """What was built before, by its type."""
    found = services[wanted]
    if not isinstance(found, wanted):
        raise TypeError(wanted.__name__)
    return found


def _giving(service: object) -> Callable[[object], object]:
    return lambda _scope: service
