"""IdentitySettings: what may be set, prefix ``IDENTITY_``."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from au_sys_identity.adapters.crypto.sealing import parsed_key
from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.directories.providers import Provider
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.settings.lists import Item, parsed
from au_sys_identity.core.settings.models import Weaker

_LEAST_TOKEN = 20
_RATE = re.compile(r"[1-9][0-9]{0,8} ?/ ?([1-9][0-9]{0,4} ?)?(second|minute|hour|day)s?")


def runtime(weaker: Weaker | None = None) -> dict[str, JsonValue]:
    """Marks a setting that administrators may change while the platform runs; ``weaker``: what lowers the guard."""
    return {"runtime": True, "weaker": list(weaker) if isinstance(weaker, tuple) else weaker}


class IdentitySettings(BaseSettings):
    """Read once in ``manifest/container.py`` and passed down."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_", extra="ignore", frozen=True, hide_input_in_errors=True)

    secret_key: SecretStr | None = Field(
        None, description="Root key, 32 bytes in base64. Unset outside production: a file in the data folder."
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="The root key before; what it sealed can be read until au-sys-identity rekey has run."
    )
    bootstrap_token: SecretStr | None = Field(
        None, description="Lets one person register as the first administrator. Unset: a file in the data folder."
    )
    registration: Literal["open", "invite", "closed"] = Field(
        "invite", description="Who may make an account.", json_schema_extra=runtime(weaker=("closed", "invite", "open"))
    )
    registration_verify: Literal["required", "off"] = Field(
        "required",
        description="Whether an address counts only after its owner has opened a mail.",
        json_schema_extra=runtime(weaker=("required", "off")),
    )
    registration_domains: str = Field(
        "",
        description="Mail domains whose people may register, with blanks between them; empty: all.",
        max_length=2000,
        json_schema_extra=runtime(),
    )
    password_min_length: int = Field(
        12, ge=8, le=64, description="Least characters of a password.", json_schema_extra=runtime(weaker="lower")
    )
    password_memory_kib: int = Field(19_456, ge=8, le=1_048_576, description="Memory of one argon2id hash.")
    password_time_cost: int = Field(2, ge=1, le=20, description="Passes of one argon2id hash.")
    password_parallelism: int = Field(1, ge=1, le=8, description="Lanes of one argon2id hash.")
    password_pepper: bool = Field(
        False, description="Whether a key outside the database goes into every password hash (HMAC-SHA-256)."
    )
    hash_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=64, description="Hashes at the same time."
    )
    hash_queue: int = Field(64, ge=1, le=4096, description="Hashes that may wait; more are refused as busy.")
    breach_list: Path | None = Field(None, description="A hash file of one's own instead of the one in the wheel.")
    breach_online: bool = Field(
        False,
        description="Whether new passwords are looked for at Pwned Passwords as well (five digits of a SHA-1 leave).",
        json_schema_extra=runtime(weaker="false"),
    )
    token_algorithm: Literal["ES256", "EdDSA"] = Field("ES256", description="Signature of new signing keys.")
    token_issuer: str | None = Field(None, description="Issuer of access tokens; unset: the public URL.")
    token_audience: str | None = Field(None, description="Audience of access tokens; unset: the issuer.")
    access_ttl: int = Field(
        600,
        ge=30,
        le=3600,
        description="Seconds that an access token lives.",
        json_schema_extra=runtime(weaker="higher"),
    )
    refresh_grace: int = Field(
        10,
        ge=0,
        le=60,
        description="Seconds in which a replaced refresh token still helps.",
        json_schema_extra=runtime(weaker="higher"),
    )
    signing_key_days: int = Field(
        30, ge=1, le=366, description="Days that one key signs.", json_schema_extra=runtime(weaker="higher")
    )
    session_idle: int = Field(
        7 * 86_400,
        ge=300,
        description="Seconds without use that end a session.",
        json_schema_extra=runtime(weaker="higher"),
    )
    session_max: int = Field(
        30 * 86_400,
        ge=300,
        description="Seconds after which a session ends anyway.",
        json_schema_extra=runtime(weaker="higher"),
    )
    approval_ttl: int = Field(
        300,
        ge=30,
        le=3600,
        description="Seconds that a machine's request for approval waits.",
        json_schema_extra=runtime(weaker="higher"),
    )
    approval_use_ttl: int = Field(
        60,
        ge=5,
        le=600,
        description="Seconds that an approval may be used in.",
        json_schema_extra=runtime(weaker="higher"),
    )
    approval_signature: Literal["optional", "irreversible", "always"] = Field(
        "irreversible",
        description="Which acts are approved with a passkey only: optional (none), irreversible or always.",
        json_schema_extra=runtime(weaker=("always", "irreversible", "optional")),
    )
    graph_max_depth: int = Field(
        32, ge=2, le=64, description="Most edges on a way through groups, owners, parents or dependencies."
    )
    machine_mfa_window: int = Field(
        300,
        ge=0,
        le=3600,
        description="Seconds that one code of a machine counts for its key.",
        json_schema_extra=runtime(weaker="higher"),
    )
    trusted_proxies: str | None = Field(
        None,
        description="Networks whose client certificate headers are believed, with blanks between them. "
        "Unset: FSP_TRUSTED_PROXIES.",
    )
    step_up_max_age: int = Field(
        300,
        ge=30,
        le=3600,
        description="Seconds that a proof counts as fresh.",
        json_schema_extra=runtime(weaker="higher"),
    )
    api_key_days: int = Field(
        90,
        ge=1,
        le=366,
        description="Days that an API key lives unless it says otherwise.",
        json_schema_extra=runtime(weaker="higher"),
    )
    api_key_max_days: int = Field(
        366,
        ge=1,
        le=3660,
        description="Most days that an API key may live.",
        json_schema_extra=runtime(weaker="higher"),
    )
    api_key_env: Literal["live", "test"] = Field("live", description="How new API keys begin: au_live_ or au_test_.")
    api_keys_per_subject: int = Field(
        20,
        ge=1,
        le=1000,
        description="Most usable API keys of one subject.",
        json_schema_extra=runtime(weaker="higher"),
    )
    mail_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:587, smtps://… or file:///folder; unset: outbox/ in the data folder.",
    )
    mail_certificates: Path | None = Field(
        None, description="Authorities that the mail server's certificate is checked against, instead of the machine's."
    )
    mail_from: str = Field("platform@localhost", description="Sender of letters.")
    magic_link: bool = Field(
        True, description="Whether people may sign in by a link in a mail.", json_schema_extra=runtime(weaker="true")
    )
    magic_link_ttl: int = Field(
        900,
        ge=60,
        le=3600,
        description="Seconds that a sign-in link is good for.",
        json_schema_extra=runtime(weaker="higher"),
    )
    verify_ttl: int = Field(
        86_400,
        ge=600,
        le=604_800,
        description="Seconds that a verification link is good for.",
        json_schema_extra=runtime(weaker="higher"),
    )
    reset_ttl: int = Field(
        3600,
        ge=300,
        le=86_400,
        description="Seconds that a reset link is good for.",
        json_schema_extra=runtime(weaker="higher"),
    )
    mfa_required: Literal["none", "admins", "all"] = Field(
        "none",
        description="Who has to set up a second factor before anything else.",
        json_schema_extra=runtime(weaker=("all", "admins", "none")),
    )
    invitation_ttl: int = Field(
        7 * 86_400,
        ge=3600,
        le=90 * 86_400,
        description="Seconds that an invitation is good for.",
        json_schema_extra=runtime(weaker="higher"),
    )
    reset_kills_keys: bool = Field(
        True,
        description="Whether a password reset revokes the person's API keys.",
        json_schema_extra=runtime(weaker="false"),
    )
    ldap: SecretStr | None = Field(
        None,
        description="Directories as a JSON list. Unset: what administrators set up under Directories.",
        json_schema_extra=runtime(),
    )
    sync_every: int | None = Field(
        None,
        ge=60,
        le=604_800,
        description="Seconds between runs of all directories; unset: only by hand.",
        json_schema_extra=runtime(),
    )
    sync_disable_limit: int = Field(
        20,
        ge=0,
        le=100,
        description="Most percent of people that one run switches off.",
        json_schema_extra=runtime(weaker="higher"),
    )
    providers: SecretStr | None = Field(
        None,
        description="Login providers as a JSON list. Unset: what administrators set up under Login providers.",
        json_schema_extra=runtime(),
    )
    outbound_allow: str = Field(
        "",
        description="Private networks, addresses and names that login providers may be at, with blanks between them.",
    )
    guess_limit: int = Field(
        5,
        ge=1,
        le=100,
        description="Failures per address and network before waiting begins.",
        json_schema_extra=runtime(weaker="higher"),
    )
    guess_window: int = Field(
        900,
        ge=60,
        le=86_400,
        description="Seconds in which failures are counted.",
        json_schema_extra=runtime(weaker="lower"),
    )
    rate_sign_in: str = Field(
        "30/minute", description="Most tries to sign in from one network.", json_schema_extra=runtime(), max_length=40
    )
    rate_mail: str = Field(
        "5/hour",
        description="Most letters that one network may ask for, and most to one address.",
        json_schema_extra=runtime(),
        max_length=40,
    )
    rate_default: str = Field(
        "600/minute",
        description="Most requests without a credential from one network.",
        json_schema_extra=runtime(),
        max_length=40,
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis in which several nodes count these three together; unset: each counts alone."
    )

    audit_witness: str = Field(
        "log",
        description="Who is told of each signed head of the audit log, with blanks between them: log, storage, "
        "file:///path or https://address.",
        max_length=2000,
    )
    audit_head_every: int = Field(60, ge=1, le=3600, description="Seconds between signed heads while events arrive.")
    audit_keep: int | None = Field(
        None,
        ge=30,
        le=36_500,
        description="Days that events of the audit log are kept; unset: without end. Hashes and proofs stay.",
        json_schema_extra=runtime(weaker="lower"),
    )
    backup_store: str | None = Field(
        None, description="Where backups go, as a URL of the storage SDK; unset: backups/ in the data folder."
    )
    backup_key: SecretStr | None = Field(
        None, description="Key of backups, 32 bytes in base64; unset: derived from the root key."
    )
    backups_enabled: bool = Field(
        True, description="Whether backups are made by themselves.", json_schema_extra=runtime()
    )
    changes_enabled: bool = Field(
        True, description="Whether changes are kept so that they can be taken back.", json_schema_extra=runtime()
    )
    backup_every: int = Field(
        86_400, ge=300, le=2_592_000, description="Seconds between backups.", json_schema_extra=runtime()
    )
    backup_keep: int = Field(14, ge=1, le=1000, description="Backups that are kept.", json_schema_extra=runtime())
    change_days: int = Field(
        30, ge=1, le=366, description="Days in which a change can be taken back.", json_schema_extra=runtime()
    )
    change_max: int = Field(
        10_000, ge=1, le=1_000_000, description="Most changes that can be taken back.", json_schema_extra=runtime()
    )

    @field_validator("audit_witness")
    @classmethod
    def _are_witnesses(cls, value: str) -> str:
        for name in value.split():
            if name not in ("log", "storage") and not name.startswith(("file:///", "https://", "http://")):
                raise ValueError(f"{name} is no witness; write log, storage, file:///path or https://address")
        return value

    @field_validator("mail_url")
    @classmethod
    def _leads_somewhere(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("smtp://", "smtps://", "file:///")):
            raise ValueError("must be smtp://host:port, smtps://host:port or file:///folder")
        return value

    @field_validator("registration_domains")
    @classmethod
    def _are_domains(cls, value: str) -> str:
        if not all("." in domain and domain.isprintable() and "@" not in domain for domain in value.split()):
            raise ValueError("must be domains such as example.org, with blanks between them")
        return value

    @field_validator("rate_sign_in", "rate_mail", "rate_default")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if not _RATE.fullmatch(value):
            raise ValueError("must be a number and a time such as 30/minute or 5/10 seconds")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must be redis://host:port/number or rediss://host:port/number")
        return value

    @field_validator("ldap")
    @classmethod
    def _are_directories(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked_list(value, Directory.read)

    @field_validator("providers")
    @classmethod
    def _are_providers(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked_list(value, Provider.read)

    @field_validator("bootstrap_token")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _LEAST_TOKEN:
            raise ValueError(f"must have at least {_LEAST_TOKEN} characters")
        return value

    @field_validator("secret_key", "secret_key_previous", "backup_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parsed_key(value.get_secret_value())
        return value


def _checked_list(value: SecretStr | None, read: Callable[[Mapping[str, object]], Item]) -> SecretStr | None:
    """The same text; what is wrong with it is told without its secrets."""
    if value is not None:
        try:
            parsed(value.get_secret_value(), read)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        except ValueError:
            raise ValueError("must be a JSON list of objects with different names") from None
    return value
