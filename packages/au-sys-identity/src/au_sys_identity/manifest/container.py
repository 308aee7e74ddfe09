"""Settings choose adapters, build services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from au_sys_identity.adapters.api.authentication import CookieNames, RequestAuthenticator
from au_sys_identity.adapters.api.cards import People
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.adapters.crypto.access_tokens import JwtAccessTokens
from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher, HashCost, Pepper
from au_sys_identity.adapters.crypto.bootstrap_token import BootstrapToken
from au_sys_identity.adapters.crypto.breach_list import HashFile
from au_sys_identity.adapters.crypto.sealing import RootKey, key_file, parsed_key
from au_sys_identity.adapters.crypto.signing_keys import SigningKeys
from au_sys_identity.adapters.crypto.webauthn_ceremony import WebauthnCeremony
from au_sys_identity.adapters.db.change_feed import ChangeFeed
from au_sys_identity.adapters.db.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.email.folder import FolderPost
from au_sys_identity.adapters.email.smtp import MailServer, SmtpPost
from au_sys_identity.adapters.limits.windows import LibraryWindows
from au_sys_identity.adapters.runtime.ports import PlatformAuthorizer, PlatformDirectory, PlatformRoles
from au_sys_identity.adapters.web.administration import Desk
from au_sys_identity.adapters.web.security import OwnAccess, SecurityPage
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.limits import Limits
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.access.roles import Roles
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.bootstrap import Bootstrap
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.mail_links import MailLinks
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.directories.sign_in import DirectorySignIn
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.notices.ports import Post
from au_sys_identity.core.notices.sending import Delivery
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import SessionTimes
from au_sys_identity.core.sessions.passkey_sign_in import PasskeySignIn
from au_sys_identity.core.sessions.refreshing import Refreshing
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.sessions.volume import Volume
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.core.tokens.introspection import Introspection
from au_sys_identity.core.tokens.issuing import Issuing
from au_sys_identity.core.tokens.keys import ApiKeys
from au_sys_identity.core.tokens.rotation import KeyRotation
from au_sys_identity.core.tokens.verification import Verification
from au_sys_identity.manifest.acting import Footing, acting
from au_sys_identity.manifest.arriving import arriving
from au_sys_identity.manifest.auditing import Auditing, auditing
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.gathering import gathering
from au_sys_identity.manifest.outside import Ground, Outside, outside
from au_sys_identity.manifest.policing import back_up_before_reset, live_policy, policing
from au_sys_identity.manifest.recovering import Ground as RecoveryGround
from au_sys_identity.manifest.recovering import Recovery, recovering
from au_sys_identity.manifest.rules import Rules
from au_sys_identity.manifest.runtime_settings import LiveSettings, SettingsRead
from fastapi_services_platform import (
    Authenticator,
    Authorizer,
    Database,
    PlatformSettings,
    RoleAdministration,
    Service,
    SubjectDirectory,
    blocking,
    get_logger,
)

_logger = get_logger(__name__)
Made = TypeVar("Made")
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
    feed: ChangeFeed

    async def prepare(self) -> None:
        """Make what the first request would wait for, and tell the operator where the first administrator begins."""
        await blocking(self.root.open)
        await self.feed.start()
        await self.live.start()
        await self.recovery.restoring.end_maintenance()
        await self.keys.active()
        if await self.bootstrap.open():
            path = await blocking(self.bootstrap_token.write)
            if path is not None:
                _logger.info("bootstrap.open", token_file=str(path))
        await self.hasher.warm_up()

    async def close(self) -> None:
        """Finish the hashes under way, and hang up."""
        await self.feed.stop()
        await self.live.stop()
        self.hasher.close()
        await self.outside.client.close()
        await self.recovery.vault.close()
        await self.windows.close()

    async def sync_directories(self) -> None:
        """Run the directories that are due."""
        await self.outside.sync(self.live.current.sync_every)

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


@dataclass(frozen=True, slots=True)
class _Base:
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


def _base(database: Database, platform: PlatformSettings, settings: IdentitySettings) -> _Base:
    breach_list = HashFile.read(settings.breach_list) if settings.breach_list else HashFile.shipped()
    root = root_key(settings, platform)
    transactions = SqlTransactions(database, PersonalKeys(root), utc_now)
    freshness, read, in_force = Freshness(transactions), SettingsRead(settings), Rules.of(settings, breach_list)
    runtime = RuntimeSettings(read.catalogue, read.value, read.check, transactions, root, freshness, utc_now)
    live = LiveSettings(settings, read, runtime)
    live.follow(in_force.follow)
    return _Base(
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
    )


def _tokens(base: _Base) -> tuple[SigningKeys, JwtAccessTokens]:
    settings = base.settings
    keys = SigningKeys(base.transactions, base.root, utc_now, base.in_force.signature)
    issuer = settings.token_issuer or base.platform.public_url
    return keys, JwtAccessTokens(keys, issuer=issuer, audience=settings.token_audience or issuer)


def wire(database: Database, platform: PlatformSettings, settings: IdentitySettings | None = None) -> Wiring:
    """Build the services on a database. It reads files: call it where blocking is allowed.

    Raises:
        UnsafeSetting: production refuses a setting.
    """
    base = _base(database, platform, settings or IdentitySettings())
    settings, transactions, root, hasher, rules = base.settings, base.transactions, base.root, base.hasher, base.rules
    clock = utc_now
    freshness, catalogue = base.freshness, Catalogue()
    keys, access_tokens = _tokens(base)
    decisions = Decisions(transactions, catalogue, live_policy(transactions, freshness, catalogue))
    granting = Granting(transactions, decisions, clock)
    passkey_check = PasskeyCheck(ceremony_of(platform), PasskeyChallenges(root))
    check, letters = FactorCheck(root, root, passkey_check), LetterBox(root, root)
    sign_in = SignIn(transactions, hasher, root, check, clock, lockout=base.lockout, times=base.times)
    accounts = Accounts(transactions, hasher, rules, sign_in, letters, clock, times=base.times)
    enrolment = Enrolment(transactions, root, check, letters, clock, issuer=platform.name)
    steps = StepUp(transactions, sign_in, check, clock, times=base.times)
    sessions, issuing = Sessions(transactions, clock), Issuing(access_tokens, clock)
    registration, bootstrap, token = _arrivals(base, letters)
    built: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        Authorizer: PlatformAuthorizer(decisions),
        SubjectDirectory: PlatformDirectory(transactions),
        RoleAdministration: PlatformRoles(granting, decisions),
        CookieNames: base.cookies,
        RuntimeSettings: base.runtime,
        Catalogue: catalogue,
        SignIn: sign_in,
        Sessions: sessions,
        SigningKeys: keys,
        Issuing: issuing,
        TokenAnswers: TokenAnswers(issuing, base.cookies),
        Registration: registration,
        Accounts: accounts,
        Enrolment: enrolment,
        StepUp: steps,
        Bootstrap: bootstrap,
        Desk: Desk(accounts, granting, decisions, sessions, enrolment, steps, registration),
        Decisions: decisions,
        Granting: granting,
        Roles: Roles(transactions, decisions, granting, catalogue, clock),
        People: People(accounts, decisions, enrolment),
    }
    built |= policing(transactions, decisions, catalogue, clock, public_url=platform.public_url)
    built |= _programs(base, access_tokens, freshness, decisions, granting, sessions)
    together = gathering(
        settings,
        base.graph,
        transactions,
        root,
        letters=letters,
        decisions=decisions,
        granting=granting,
        clock=clock,
    )
    built.update(together.services)
    built |= _ways_in(base, passkey_check, letters, enrolment, sessions)
    more = outside(
        Ground(settings, base.platform, transactions, root, freshness, granting, base.lockout, base.times, clock)
    )
    built.update(more.services)
    links, ways = _built(built, Linking), _built(built, OutsideSignIn)
    steps.elsewhere = _built(built, DirectorySignIn)
    own = OwnAccess(_built(built, ApiKeys), links, ways, decisions, catalogue)
    built[SecurityPage] = SecurityPage(enrolment, _built(built, Passkeys), sessions, base.cookies, own)
    log = auditing(settings, transactions, root, clock, more.client)
    built.update(log.services)
    recovery = recovering(
        RecoveryGround(settings, platform, transactions, root, log.sequencing, granting, base.runtime, clock),
        lambda: base.live.current,
    )
    built.update(recovery.services)
    back_up_before_reset(built, recovery.backups)
    base.live.follow(recovery.follow)
    base.live.follow(more.follow)
    arrivals = arriving(transactions, registration, granting, letters, clock, site=platform.name)
    built.update(arrivals.services)
    base.live.follow(arrivals.follow)
    acts = acting(
        Footing(
            settings,
            platform,
            transactions,
            root,
            decisions,
            granting,
            steps,
            passkey_check,
            letters,
            access_tokens,
            clock,
        ),
        log.audit,
    )
    built.update(acts.services)
    base.live.follow(acts.follow)
    services = tuple(Service(interface, _giving(service)) for interface, service in built.items())
    delivery = _delivery(base, letters)
    return Wiring(
        settings,
        transactions,
        hasher,
        keys,
        catalogue,
        registration,
        bootstrap,
        token,
        delivery,
        services,
        more,
        root,
        base.live,
        log,
        recovery,
        base.windows,
        ChangeFeed(database, freshness.expire),
    )


def _programs(
    base: _Base,
    access_tokens: JwtAccessTokens,
    freshness: Freshness,
    decisions: Decisions,
    granting: Granting,
    sessions: Sessions,
) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """What requests carry, and the keys of programs."""
    transactions, clock = base.transactions, utc_now
    verification = Verification(transactions, access_tokens, freshness, base.graph, clock, times=base.times)
    api_keys = ApiKeys(transactions, granting, clock, base.in_force.keys)
    return {
        Authenticator: RequestAuthenticator(
            verification, base.cookies, Limits(decisions, base.in_force.factors), freshness
        ),
        ApiKeys: api_keys,
        KeyRotation: KeyRotation(transactions, granting, clock),
        Introspection: Introspection(
            transactions, verification, access_tokens, decisions, sessions, api_keys, clock, issuer=access_tokens.issuer
        ),
    }


def _ways_in(
    base: _Base, check: PasskeyCheck, letters: LetterBox, enrolment: Enrolment, sessions: Sessions
) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """Passkeys, links in mails, and how sessions stay alive."""
    transactions, root, times = base.transactions, base.root, base.times
    passkeys = Passkeys(transactions, check.ceremony, check.challenges, letters, utc_now)
    return {
        Passkeys: passkeys,
        PasskeySignIn: PasskeySignIn(transactions, check, root, utc_now, times=times),
        MailLinks: MailLinks(
            transactions,
            letters,
            base.hasher,
            base.rules,
            utc_now,
            lockout=base.lockout,
            rules_of_reset=base.in_force.reset,
        ),
        MagicLinks: MagicLinks(transactions, letters, utc_now, times=times, rules=base.in_force.magic),
        Refreshing: Refreshing(transactions, root, letters, utc_now, times=times),
        Volume: Volume(base.windows, transactions, root, base.in_force.volume),
    }


def _arrivals(base: _Base, letters: LetterBox) -> tuple[Registration, Bootstrap, BootstrapToken]:
    """How accounts come to be, the first one included."""
    settings, transactions = base.settings, base.transactions
    policy = base.in_force.registration
    registration = Registration(transactions, base.hasher, base.rules, letters, utc_now, policy=policy)
    given = settings.bootstrap_token
    file = Path(base.platform.data_dir) / "identity.bootstrap-token"
    token = BootstrapToken(file, given.get_secret_value() if given else None)
    bootstrap = Bootstrap(transactions, registration, partial(blocking, token.read), partial(blocking, token.forget))
    return registration, bootstrap, token


def _delivery(base: _Base, letters: LetterBox) -> Delivery:
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
