"""Whether and where to this process sends traces and metrics, by the settings."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.observability.tracing.databases import watch_databases
from fastapi_services_platform.observability.tracing.spans import Tracing, install_tracing

if TYPE_CHECKING:
    from fastapi_services_platform.observability.metrics import Measurements
    from fastapi_services_platform.observability.otlp_metrics import MetricsExport


class TracingSettings(Protocol):
    """What is read of the platform's settings."""

    @property
    def name(self) -> str: ...

    @property
    def environment(self) -> str: ...

    @property
    def otlp_endpoint(self) -> str | None: ...

    @property
    def otlp_headers(self) -> SecretStr | None: ...

    @property
    def otlp_metrics_seconds(self) -> float: ...

    @property
    def trace_ratio(self) -> float: ...


def start_tracing(settings: TracingSettings, version: str) -> tuple[Tracing | None, Callable[[], None]]:
    """What requests are traced with, and what ends it and sends the rest (blocks); nothing when no collector is set.

    Raises:
        ConfigurationError: the extra is missing, or a setting is wrong.
    """
    if settings.otlp_endpoint is None:
        return None, lambda: None
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
        raise ConfigurationError(
            "traces need OpenTelemetry's SDK.",
            variable="FSP_OTLP_ENDPOINT",
            fix="install fastapi-services-platform[otel], or unset the variable.",
        )
    from fastapi_services_platform.observability.tracing.exporting import OtlpRecorder

    recorder = OtlpRecorder(
        signal_url(settings.otlp_endpoint, "traces"), headers_of(settings.otlp_headers), resource_of(settings, version)
    )
    tracing = Tracing(recorder, settings.trace_ratio)
    unwatch = watch_databases(tracing)
    before = install_tracing(tracing)

    def end() -> None:
        install_tracing(before)
        unwatch()
        recorder.close()

    return tracing, end


def metrics_export(settings: TracingSettings, version: str, measurements: "Measurements") -> "MetricsExport | None":
    """What sends these metrics, when a collector is set. :func:`start_tracing` has looked whether it can be served."""
    if settings.otlp_endpoint is None or settings.otlp_metrics_seconds == 0:
        return None
    from fastapi_services_platform.observability.otlp_metrics import MetricsExport

    return MetricsExport(
        measurements,
        signal_url(settings.otlp_endpoint, "metrics"),
        headers_of(settings.otlp_headers),
        resource_of(settings, version),
        settings.otlp_metrics_seconds,
    )


def signal_url(endpoint: str, signal: str) -> str:
    """Where a collector takes traces or metrics."""
    return f"{endpoint.rstrip('/')}/v1/{signal}"


def headers_of(given: SecretStr | None) -> dict[str, str]:
    """Headers for the collector.

    Raises:
        ConfigurationError: one is not ``name=value``.
    """
    found: dict[str, str] = {}
    text = given.get_secret_value() if given is not None else ""
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, separator, value = part.partition("=")
        if not separator or not name.strip():
            raise ConfigurationError(
                "a header for the collector is not name=value.",
                variable="FSP_OTLP_HEADERS",
                fix="write for example api-key=…,tenant=…",
            )
        found[name.strip()] = value.strip()
    return found


def resource_of(settings: TracingSettings, version: str) -> dict[str, str]:
    """Who sends."""
    return {
        "service.name": settings.name,
        "service.version": version,
        "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
        "deployment.environment.name": settings.environment,
    }
