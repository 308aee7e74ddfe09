"""PlatformSettings: what the environment says to the platform, prefix ``FSP_``."""

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from fastapi_services_platform.errors import ConfigurationError

PREFIX = "FSP_"

CommaList = Annotated[tuple[str, ...], NoDecode]


class PlatformSettings(BaseSettings):
    """Read once by ``create_app`` and passed down; nobody else reads the environment of the platform."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    environment: Literal["dev", "test", "prod"] = Field(
        "dev", description="Which overlay of the configuration applies."
    )
    name: str = Field("FSP", description="The platform's name in the page frame and in OpenAPI.")
    data_dir: Path = Field(Path("data"), description="Folder of SQLite databases and blobs.")
    config_dir: Path | None = Field(None, description="Folder of the three configuration files.")
    log_dir: Path | None = Field(None, description="Folder of the text log; unset: console only.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    language: str = Field(
        "en",
        pattern="^[a-z]{2,3}$",
        description="Language of pages for those whose browser names none that is offered.",
    )
    timezone: str = Field(
        "UTC", max_length=64, description="Clock of pages for those whose own is not known, as Europe/Stockholm."
    )
    public_url: str = Field("http://localhost:8000", description="Address under which browsers reach the platform.")
    database_url: str | None = Field(None, description="One server for all capabilities; unset: a SQLite file each.")
    database_pool_size: int = Field(5, ge=1, le=200, description="Connections that a capability's pool keeps.")
    database_statement_seconds: float = Field(30.0, ge=0, description="Seconds that one statement may take; 0: any.")
    database_slow_seconds: float = Field(0.5, ge=0, description="Statements that take as long are logged; 0: none.")
    secret_key: SecretStr | None = Field(None, description="Key for signed tokens; required when environment is prod.")
    migrate: Literal["auto", "off"] = Field("auto", description="Whether a start brings databases to their head.")
    trusted_hosts: CommaList = Field(
        (), description="Host names that are answered, comma separated; empty: any outside prod."
    )
    trusted_proxies: CommaList = Field((), description="CIDR networks whose forwarded headers are believed.")
    cors_origins: CommaList = Field(
        (), description="Origins that browsers may call from, comma separated; none by default."
    )
    max_body_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, description="Largest request body unless a router says otherwise."
    )
    max_header_bytes: int = Field(32 * 1024, ge=1024, description="Largest sum of request headers.")
    max_header_count: int = Field(100, ge=10, description="Most request headers.")
    request_timeout: float = Field(
        60.0, gt=0, description="Seconds until a request is given up, from its last byte on."
    )
    max_concurrent_requests: int = Field(400, ge=1, description="Requests under way before more are turned away.")
    max_turn_seconds: float = Field(0.1, gt=0, description="CPU seconds of work that may wait before more is shed.")
    rate_limit_storage: str = Field(
        "memory://", description="Where rate limits are counted: memory://, redis://… or database."
    )
    outbound_allow: CommaList = Field(
        (), description="Inner networks and hosts that addresses supplied by people may lead to, comma separated."
    )
    breaker_storage: str = Field(
        "auto",
        description="Where nodes share breakers: auto (PostgreSQL when it serves, else local), local, redis://….",
    )
    min_free_mb: int = Field(
        200, ge=0, description="Free megabytes under FSP_DATA_DIR below which /health is degraded."
    )
    drain_seconds: float = Field(0.0, ge=0, description="Seconds between not being ready and closing the door.")
    startup_timeout: float = Field(60.0, gt=0, description="Seconds for one capability to start.")
    shutdown_timeout: float = Field(10.0, gt=0, description="Seconds for one capability to stop.")
    optional_capabilities: CommaList = Field((), description="Capabilities whose failure does not stop the start.")
    blocking_threads: int = Field(8, ge=1, le=256, description="Threads for blocking work.")
    otlp_endpoint: str | None = Field(
        None, description="OTLP/HTTP collector of traces and metrics, as http://collector:4318; unset: nothing is sent."
    )
    otlp_headers: SecretStr | None = Field(
        None, description="Headers for the collector as name=value, comma separated."
    )
    otlp_metrics_seconds: float = Field(
        60.0, ge=0, description="Seconds between two sendings of the metrics to the collector; 0: they are not sent."
    )
    trace_ratio: float = Field(0.01, ge=0, le=1, description="Share of the traces that begin here that is recorded.")
    silenced_checks: CommaList = Field((), description="Codes of warnings that fsp doctor leaves out, comma separated.")
    metrics_token: SecretStr | None = Field(None, description="Bearer token with which /metrics may be read.")

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        lists = {name for name, field in cls.model_fields.items() if field.annotation == tuple[str, ...]}
        return {
            key: tuple(part.strip() for part in value.split(",") if part.strip())
            if key in lists and isinstance(value, str)
            else value
            for key, value in values.items()
        }

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.environment == "prod" and self.secret_key is None:
            raise ValueError("secret_key: must be set when environment is prod")
        return self

    @property
    def https(self) -> bool:
        """Whether browsers reach the platform over TLS."""
        return self.public_url.startswith("https://")


def read_settings(settings: type[BaseSettings] = PlatformSettings) -> BaseSettings:
    """Read a settings class from the environment.

    Raises:
        ConfigurationError: a value breaks a rule, or a variable with the class's prefix is unknown; it names the
            variable.
    """
    prefix = str(settings.model_config.get("env_prefix") or "")
    if prefix:
        _refuse_unknown(settings, prefix)
    return valid_settings(settings)


def valid_settings(settings: type[BaseSettings]) -> BaseSettings:
    """Read a settings class from the environment; the refusal of a value does not show it.

    Raises:
        ConfigurationError: a value breaks a rule; it names the variable.
    """
    try:
        return settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        inside = ".".join(str(part) for part in first["loc"][1:])
        message = str(first["msg"]).removeprefix("Value error, ")
        if not field and ":" in message:
            field, _, message = message.partition(":")
        raise _refused(settings, field, f"{inside}: {message}" if inside else message) from None
    except SettingsError as error:
        # JSON is read before any rule is asked; the message has the field in quotes and not the value
        raise _refused(settings, str(error).partition('"')[2].partition('"')[0], "is not valid JSON") from None


def _refused(settings: type[BaseSettings], field: str, message: str) -> ConfigurationError:
    description = settings.model_fields[field].description if field in settings.model_fields else None
    prefix = str(settings.model_config.get("env_prefix") or "")
    return ConfigurationError(
        f"{message.strip()}.",
        variable=f"{prefix}{field}".upper(),
        fix=description or "correct the value of the variable.",
    )


def platform_settings() -> PlatformSettings:
    """The platform's settings from the environment.

    Raises:
        ConfigurationError: see :func:`read_settings`.
    """
    found = read_settings(PlatformSettings)
    if not isinstance(found, PlatformSettings):  # pragma: no cover - read_settings returns what it was given
        raise TypeError("read_settings returned another class")
    return found


_READ_BY_OTHERS = frozenset({"FSP_APP", "FSP_HOST", "FSP_PORT", "FSP_SERVER"})
"""Variables that share the prefix and belong to the command line or to tests (``FSP_TEST_…``)."""


def _refuse_unknown(settings: type[BaseModel], prefix: str) -> None:
    known = {f"{prefix}{name}".upper() for name in settings.model_fields}
    for variable in sorted(os.environ):
        foreign = variable in known or variable in _READ_BY_OTHERS or variable.startswith(f"{prefix}TEST_")
        if not variable.startswith(prefix) or foreign:
            continue
        nearest = difflib.get_close_matches(variable, sorted(known), n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(sorted(known))}."
        raise ConfigurationError("unknown variable.", variable=variable, fix=hint)
