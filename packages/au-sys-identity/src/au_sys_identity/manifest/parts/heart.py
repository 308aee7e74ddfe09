"""Build accounts, sessions and keys: who somebody is, and how they get in."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from au_sys_identity.adapters.api.cards import People
from au_sys_identity.adapters.api.door.authentication import CookieNames, RequestAuthenticator
from au_sys_identity.adapters.api.door.paging import Cursors
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.adapters.crypto.access_tokens import JwtAccessTokens
from au_sys_identity.adapters.crypto.bootstrap_token import BootstrapToken
from au_sys_identity.adapters.crypto.signing_keys import SigningKeys
from au_sys_identity.adapters.runtime.ports import PlatformAuthorizer, PlatformDirectory, PlatformRoles
from au_sys_identity.adapters.web.governing.administration import Desk
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.limits import Limits
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.bootstrap import Bootstrap
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.mail_links import MailLinks
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.audit.refusals import Refusals
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.sessions.lifecycle import Sessions
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
from au_sys_identity.manifest.parts.ground import Base, ceremony_of, utc_now
from au_sys_identity.manifest.parts.policing import live_policy, policing
from fastapi_services_platform import (
    Authenticator,
    Authorizer,
    RoleAdministration,
    SubjectDirectory,
    blocking,
)


@dataclass(frozen=True, slots=True)
class Heart:
    """Built; the other parts stand on these."""

    catalogue: Catalogue
    decisions: Decisions
    granting: Granting
    passkeys: PasskeyCheck
    letters: LetterBox
    sign_in: SignIn
    accounts: Accounts
    enrolment: Enrolment
    steps: StepUp
    sessions: Sessions
    registration: Registration
    bootstrap: Bootstrap
    bootstrap_token: BootstrapToken
    keys: SigningKeys
    access_tokens: JwtAccessTokens


def heart_of(base: Base) -> Heart:
    """Build it."""
    transactions, root, times, clock = base.transactions, base.root, base.times, utc_now
    catalogue = Catalogue()
    keys, access_tokens = _tokens(base)
    decisions = Decisions(transactions, catalogue, live_policy(transactions, base.freshness, catalogue))
    passkey_check = PasskeyCheck(ceremony_of(base.platform), PasskeyChallenges(root))
    check, letters = FactorCheck(root, root, passkey_check), LetterBox(root, root)
    sign_in = SignIn(transactions, base.hasher, root, check, clock, lockout=base.lockout, times=times)
    registration, bootstrap, token = _arrivals(base, letters)
    return Heart(
        catalogue=catalogue,
        decisions=decisions,
        granting=Granting(transactions, decisions, clock),
        passkeys=passkey_check,
        letters=letters,
        sign_in=sign_in,
        accounts=Accounts(transactions, base.hasher, base.rules, sign_in, letters, clock, times=times),
        enrolment=Enrolment(transactions, root, check, letters, clock, issuer=base.platform.name),
        steps=StepUp(transactions, sign_in, check, clock, times=times),
        sessions=Sessions(transactions, clock),
        registration=registration,
        bootstrap=bootstrap,
        bootstrap_token=token,
        keys=keys,
        access_tokens=access_tokens,
    )


def services_of(base: Base, heart: Heart) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """By the interface under which they are asked for."""
    accounts, decisions, granting = heart.accounts, heart.decisions, heart.granting
    sessions, enrolment, issuing = heart.sessions, heart.enrolment, Issuing(heart.access_tokens, utc_now)
    built: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        Authorizer: PlatformAuthorizer(decisions, Refusals(base.transactions, utc_now)),
        SubjectDirectory: PlatformDirectory(base.transactions),
        RoleAdministration: PlatformRoles(granting, decisions),
        CookieNames: base.cookies,
        Cursors: Cursors(base.root),
        RuntimeSettings: base.runtime,
        Catalogue: heart.catalogue,
        SignIn: heart.sign_in,
        Sessions: sessions,
        SigningKeys: heart.keys,
        Issuing: issuing,
        TokenAnswers: TokenAnswers(issuing, base.cookies),
        Registration: heart.registration,
        Accounts: accounts,
        Enrolment: enrolment,
        StepUp: heart.steps,
        Bootstrap: heart.bootstrap,
        Desk: Desk(accounts, granting, decisions, sessions, enrolment, heart.steps, heart.registration),
        Decisions: decisions,
        Granting: granting,
        People: People(accounts, decisions, enrolment),
    }
    url = base.platform.public_url
    built |= policing(base.transactions, decisions, granting, heart.steps, heart.catalogue, utc_now, public_url=url)
    built |= _programs(base, heart.access_tokens, base.freshness, decisions, granting, sessions)
    return built | _ways_in(base, heart.passkeys, heart.letters)


def _tokens(base: Base) -> tuple[SigningKeys, JwtAccessTokens]:
    settings = base.settings
    keys = SigningKeys(base.transactions, base.root, utc_now, base.in_force.signature)
    issuer = settings.token_issuer or base.platform.public_url
    return keys, JwtAccessTokens(keys, issuer=issuer, audience=settings.token_audience or issuer)


def _programs(
    base: Base,
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
        KeyRotation: KeyRotation(transactions, granting, clock, base.in_force.keys),
        Introspection: Introspection(
            transactions, verification, access_tokens, decisions, sessions, api_keys, clock, issuer=access_tokens.issuer
        ),
    }


def _ways_in(
    base: Base, check: PasskeyCheck, letters: LetterBox
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


def _arrivals(base: Base, letters: LetterBox) -> tuple[Registration, Bootstrap, BootstrapToken]:
    """How accounts come to be, the first one included."""
    settings, transactions = base.settings, base.transactions
    policy = base.in_force.registration
    registration = Registration(transactions, base.hasher, base.rules, letters, utc_now, policy=policy)
    given = settings.bootstrap_token
    file = Path(base.platform.data_dir) / "identity.bootstrap-token"
    token = BootstrapToken(file, given.get_secret_value() if given else None)
    bootstrap = Bootstrap(transactions, registration, partial(blocking, token.read), partial(blocking, token.forget))
    return registration, bootstrap, token
