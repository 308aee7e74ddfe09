"""What may be set for storage; prefix ``STORAGE_``."""

from __future__ import annotations

import base64
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from au_sys_storage_sdk.adapters.opening import Credentials
from au_sys_storage_sdk.core.documents.models import MAX_VALUE
from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.core.policies import Policies, Policy
from au_sys_storage_sdk.core.switching.divided import MAIN, Division

DEFAULT_BACKEND = "default"
_PART = re.compile(r"[a-z][a-z0-9-]{0,39}")


class _DataFolder(BaseSettings):
    """The one setting of the platform that defaults depend on, for programs that run beside the web process."""

    model_config = SettingsConfigDict(env_prefix="FSP_", extra="ignore")
    data_dir: Path = Path("data")


class NamespaceRules(BaseModel):
    """Rules for the namespaces that a pattern fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_document_bytes: int = Field(default=MAX_VALUE, gt=0, le=64 * MAX_VALUE)
    max_blob_bytes: int | None = Field(default=None, gt=0)
    max_ttl_seconds: float | None = Field(default=None, gt=0)
    conditional: bool = False
    readers: tuple[str, ...] | None = Field(
        default=None, description="Patterns of callers (urn:fsp:app:*) that may read; writers may as well."
    )
    writers: tuple[str, ...] | None = Field(default=None, description="Patterns of callers that may change it.")
    value_schema: dict[str, JsonValue] | None = Field(
        default=None, alias="schema", description="JSON Schema that every document has to fit."
    )
    encrypted: bool | None = Field(
        default=None,
        description="true: do not start unless STORAGE_ENCRYPTION_KEYS seals documents; false: keep them as they come,"
        " also when there are keys. Every namespace is sealed under a key of its own, derived from these.",
    )

    def policy(self, pattern: str) -> Policy:
        """The rules as the core knows them. Raises ``InvalidInput`` for a schema that is none."""
        shape = None
        if self.value_schema is not None:
            from au_sys_storage_sdk.adapters.api.shapes import shape_of

            shape = shape_of(self.value_schema, pattern)
        return Policy(
            self.max_document_bytes, self.max_ttl_seconds, self.conditional, self.max_blob_bytes, self.readers,
            self.writers, shape, self.encrypted,
        )  # fmt: skip


class PartRules(BaseModel):
    """Namespaces that have a backend of their own, and are moved apart from all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespaces: tuple[str, ...]
    url: SecretStr | None = Field(default=None, description="Its first backend; default: a SQLite file of its own.")


class _RulesFile(BaseModel):
    """The file of rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    namespaces: dict[str, NamespaceRules] = Field(default_factory=dict)


class StorageSettings(BaseSettings):
    """Backends and limits of storage."""

    model_config = SettingsConfigDict(env_prefix="STORAGE_", extra="ignore", hide_input_in_errors=True)

    url: str | None = Field(
        default=None,
        description="Backend of documents: sqlite:///path, postgresql://, redis://, memory:; for programs beside a"
        " platform also https://host. Default: SQLite.",
    )
    blobs_url: str | None = Field(
        default=None,
        description="Backend of blobs: file:///folder, s3://bucket/folder (gs, az), https://host, memory:."
        " Default: folder blobs in FSP_DATA_DIR.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="API key of an account of the platform that an https:// backend names."
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM certificates of the authority behind an https:// backend or the endpoint of an s3:// one."
        " PostgreSQL and Redis take theirs in the URL: ?sslmode=verify-full&sslrootcert=, rediss://?ssl_ca_certs=.",
    )
    max_document_bytes: int = Field(
        default=MAX_VALUE, gt=0, le=64 * MAX_VALUE, description="Largest JSON text of a document, for everyone."
    )
    feed_entries: int = Field(
        default=1_000_000,
        gt=0,
        description="Entries of the change feed that are kept; older ones are forgotten hourly.",
    )
    switch_targets: dict[str, SecretStr] = Field(
        default_factory=dict,
        description='Backends that documents may be moved to while the platform runs: {"pg": "postgresql://…"}.',
    )
    parts: dict[str, PartRules] = Field(
        default_factory=dict,
        description="Namespaces that are moved apart from all others, each part in a backend of its own, as JSON:"
        ' {"notes": {"namespaces": ["notes.*"], "url": "postgresql://…"}}. Without url: a SQLite file of its own.',
    )
    switch_keep_seconds: float = Field(
        default=3600,
        ge=0,
        le=30 * 86_400,
        description="For how long the backend before is kept in step after a switch, so that the way back is short.",
    )
    switch_rate: float | None = Field(
        default=None, ge=1, description="Documents a second that a switch copies at most; unset: as fast as it goes."
    )
    encryption_keys: dict[int, SecretStr] = Field(
        default_factory=dict,
        description='Seal documents: {"1": "base64 of 32 random bytes"}; the highest number seals, all of them open.',
    )
    encryption_accept_plain: bool = Field(
        default=False, description="Read documents that were stored before encryption was switched on."
    )
    namespaces: dict[str, NamespaceRules] = Field(
        default_factory=dict,
        description='Rules per namespace pattern for callers over HTTP, as JSON: {"notes.*": {"conditional": true}}.',
    )
    namespaces_file: Path | None = Field(
        default=None,
        description='The same as TOML, asked after STORAGE_NAMESPACES: tables [namespaces."notes.*"].',
    )
    idempotency_seconds: float = Field(
        default=86_400, gt=0, le=30 * 86_400, description="For how long answers to an Idempotency-Key are remembered."
    )

    @field_validator("url", "blobs_url", "namespaces_file", "api_key", "ca_file", "switch_rate", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("parts")
    @classmethod
    def _named_like_a_file(cls, parts: dict[str, PartRules]) -> dict[str, PartRules]:
        for name in parts:
            if _PART.fullmatch(name) is None:
                raise ValueError(f"part {name[:40]!r}: use up to 40 lower-case letters, digits and -")
        return parts

    def resolved_url(self, data_dir: Path | None = None, part: str = MAIN) -> str:
        """The first backend of a part's documents, with the default filled in."""
        if part == MAIN:
            return self.url or f"sqlite://{self.folder(data_dir) / 'documents.db'}"
        given = self.parts[part].url
        return given.get_secret_value() if given else f"sqlite://{self.folder(data_dir) / f'documents-{part}.db'}"

    def require_apart(self, data_dir: Path | None = None) -> None:
        """Raise ``InvalidInput`` when a part has the backend of another one, or one that documents may be moved to."""
        if not self.parts:
            return
        named = [(f"part {part!r}" if part else "the main part", self.resolved_url(data_dir, part))
                 for part in (MAIN, *self.parts)]  # fmt: skip
        named += [(f"target {name!r}", url.get_secret_value()) for name, url in self.switch_targets.items()]
        seen: dict[str, str] = {}
        for name, url in named:
            other = seen.setdefault(url.partition("?")[0], name)
            if other != name:
                raise InvalidInput("STORAGE_PARTS", f"{name} has the backend of {other}", "give each one of its own")

    def division(self) -> Division:
        """Which namespaces belong to which part."""
        return Division(tuple((name, part.namespaces) for name, part in self.parts.items()))

    def resolved_blobs_url(self, data_dir: Path | None = None) -> str:
        """The backend of blobs, with the default filled in."""
        return self.blobs_url or f"file://{self.folder(data_dir) / 'blobs'}"

    def credentials(self) -> Credentials:
        """Who this platform is to a remote one."""
        return Credentials(None if self.api_key is None else self.api_key.get_secret_value(), self.ca_file)

    def key_bytes(self) -> dict[int, bytes]:
        """The keys by generation, empty when documents are not sealed. Raises ``InvalidInput`` for no base64."""
        try:
            return {
                number: base64.b64decode(key.get_secret_value(), validate=True)
                for number, key in self.encryption_keys.items()
            }
        except ValueError:
            raise InvalidInput("STORAGE_ENCRYPTION_KEYS", "a key is not base64", "write base64 of 32 bytes") from None

    def address_of(self, backend: str, data_dir: Path | None = None, part: str = MAIN) -> str:
        """The URL of a backend by its name; ``default`` is the part's first one. Raises ``InvalidInput``."""
        if backend == DEFAULT_BACKEND:
            return self.resolved_url(data_dir, part)
        if backend not in self.switch_targets:
            known = ", ".join([DEFAULT_BACKEND, *sorted(self.switch_targets)])
            raise InvalidInput(
                "backend", f"{backend[:80]!r} is not configured", f"use {known}, or STORAGE_SWITCH_TARGETS"
            )
        return self.switch_targets[backend].get_secret_value()

    def policies(self) -> Policies:
        """The rules as the core knows them; the first pattern that fits counts.

        Raises:
            InvalidInput: a schema or the file is not valid, or documents must be sealed and no keys are set.
        """
        rules = {pattern: rule.policy(pattern) for pattern, rule in (self.namespaces | self._of_file()).items()}
        policies = Policies(rules, Policy(max_value=self.max_document_bytes))
        if policies.demand_encryption and not self.encryption_keys:
            raise InvalidInput(
                "STORAGE_NAMESPACES",
                f"{policies.demand_encryption[0]!r} must be sealed, and there are no keys",
                "set STORAGE_ENCRYPTION_KEYS",
            )
        return policies

    def _of_file(self) -> dict[str, NamespaceRules]:
        if self.namespaces_file is None:
            return {}
        try:
            known = _RulesFile.model_validate(tomllib.loads(self.namespaces_file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise InvalidInput(
                "STORAGE_NAMESPACES_FILE", f"{self.namespaces_file}: {error}", 'write [namespaces."notes.*"]'
            ) from error
        return {pattern: rule for pattern, rule in known.namespaces.items() if pattern not in self.namespaces}

    @staticmethod
    def folder(data_dir: Path | None = None) -> Path:
        """The platform's folder of data."""
        return (_DataFolder().data_dir if data_dir is None else data_dir).resolve()
