"""What runtime settings decide: one object for each part, shared by the services and changed in place."""

from dataclasses import dataclass
from datetime import timedelta

from au_sys_identity.adapters.crypto.signing_keys import SignatureRules
from au_sys_identity.core.access.limits import FactorRule
from au_sys_identity.core.accounts.magic_links import MagicRules
from au_sys_identity.core.accounts.mail_links import ResetRules
from au_sys_identity.core.accounts.registration import RegistrationPolicy
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.credentials.ports import BreachList, OnlineBreachList
from au_sys_identity.core.notices.sending import LinkTimes
from au_sys_identity.core.sessions.models import SessionTimes
from au_sys_identity.core.sessions.volume import VolumeRules
from au_sys_identity.core.tokens.keys import KeyRules
from au_sys_identity.manifest.config import IdentitySettings


@dataclass(frozen=True, slots=True)
class Rules:
    """In force now."""

    times: SessionTimes
    passwords: PasswordRules
    lockout: Lockout
    registration: RegistrationPolicy
    links: LinkTimes
    keys: KeyRules
    signature: SignatureRules
    magic: MagicRules
    reset: ResetRules
    factors: FactorRule
    volume: VolumeRules

    @classmethod
    def of(cls, settings: IdentitySettings, breach_list: BreachList, online: OnlineBreachList) -> "Rules":
        """As the settings say."""
        made = cls(
            SessionTimes(),
            PasswordRules(breach_list, online=online),
            Lockout(),
            RegistrationPolicy(),
            LinkTimes(),
            KeyRules(),
            SignatureRules(),
            MagicRules(),
            ResetRules(),
            FactorRule(),
            VolumeRules(),
        )
        made.follow(settings)
        return made

    def follow(self, settings: IdentitySettings) -> None:
        """Become what the settings say now."""
        self.times.idle = timedelta(seconds=settings.session_idle)
        self.times.absolute = timedelta(seconds=settings.session_max)
        self.times.refresh_grace = timedelta(seconds=settings.refresh_grace)
        self.times.step_up = timedelta(seconds=settings.step_up_max_age)
        self.passwords.minimum = settings.password_min_length
        self.passwords.asks_online = settings.breach_online
        self.lockout.limit = settings.guess_limit
        self.lockout.window = timedelta(seconds=settings.guess_window)
        self.registration.mode = settings.registration
        self.registration.verification = settings.registration_verify == "required"
        self.registration.domains = frozenset(settings.registration_domains.lower().split())
        self.links.verify = timedelta(seconds=settings.verify_ttl)
        self.links.reset = timedelta(seconds=settings.reset_ttl)
        self.links.magic = timedelta(seconds=settings.magic_link_ttl)
        self.keys.default_days = settings.api_key_days
        self.keys.longest_days = settings.api_key_max_days
        self.keys.per_subject = settings.api_keys_per_subject
        self.keys.env = settings.api_key_env
        self.signature.algorithm = settings.token_algorithm
        self.signature.life = timedelta(days=settings.signing_key_days)
        self.signature.longest_token = timedelta(seconds=settings.access_ttl)
        self.magic.enabled = settings.magic_link
        self.volume.sign_in = settings.rate_sign_in
        self.volume.mail = settings.rate_mail
        self.volume.default = settings.rate_default
        self.reset.kills_keys = settings.reset_kills_keys
        self.factors.of = settings.mfa_required
