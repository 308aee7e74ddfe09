"""Metrics on their way to a collector: what /metrics shows, sent over OTLP/HTTP in the same names every so often.

They are read on the event loop, which owns them, and sent by a thread. Imported only where a collector is set.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR

from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.observability.metrics import Measurements

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

_log = get_logger(__name__)
_SCOPE = "fastapi_services_platform"
_SEND_SECONDS = 3
_CLOSE_SECONDS = 4.0
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class MetricsExport:
    """Sends the metrics of one process every ``seconds``, and once more at the end."""

    def __init__(
        self,
        measurements: Measurements,
        url: str,
        headers: Mapping[str, str],
        resource: Mapping[str, str],
        seconds: float,
    ) -> None:
        self._measurements = measurements
        self._exporter = OTLPMetricExporter(endpoint=url, headers=dict(headers), timeout=_SEND_SECONDS)
        self._resource = Resource.create(resource)
        self._scope = InstrumentationScope(_SCOPE, resource["service.version"])
        self._seconds = seconds
        self._begun = time_ns()
        self._silent = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send from now on."""
        self._task = asyncio.create_task(self._run(), name="send metrics")

    async def stop(self) -> None:
        """Send what there is, within a few seconds, and no more."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.send()
        except TimeoutError:
            _log.warning("metrics.not_sent", reason="the collector did not answer in time")
        await asyncio.to_thread(self._exporter.shutdown)

    async def send(self) -> None:
        """Send once."""
        await self._measurements.refresh()
        sent = await asyncio.to_thread(self._exporter.export, self._data())
        if sent is not MetricExportResult.SUCCESS and not self._silent:
            _log.warning("metrics.not_sent", reason="the collector did not take them")
        self._silent = sent is not MetricExportResult.SUCCESS

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.send()

    def _data(self) -> MetricsData:
        collectors = (self._measurements, PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR)
        families = [family for collector in collectors for family in collector.collect()]
        found = translated(families, self._begun, time_ns())
        return MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(self._scope, found, "")], "")])


def translated(families: "Iterable[Family]", begun: int, now: int) -> list[Metric]:
    """Prometheus families in the terms of OpenTelemetry, without empty ones; times in nanoseconds."""
    found: list[Metric] = []
    for family in families:
        if not family.samples:
            continue
        data: Sum | Gauge | Histogram
        if family.type == "histogram":
            data = Histogram(_histograms(family, begun, now), _CUMULATIVE)
        elif family.type == "counter":
            data = Sum(_numbers(family, begun, now, "_total"), _CUMULATIVE, is_monotonic=True)
        else:
            data = Gauge(_numbers(family, begun, now, ""))
        unit = "s" if "seconds" in family.name else ""
        found.append(Metric(family.name, family.documentation, unit, data))
    return found


def _numbers(family: "Family", begun: int, now: int, ending: str) -> list[NumberDataPoint]:
    wanted = family.name + ending
    return [
        NumberDataPoint(dict(sample.labels), begun, now, float(sample.value))
        for sample in family.samples
        if sample.name == wanted
    ]


def _histograms(family: "Family", begun: int, now: int) -> list[HistogramDataPoint]:
    found: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in family.samples:
        labels = {key: value for key, value in sample.labels.items() if key != "le"}
        parts = found.setdefault(tuple(labels.items()), {})
        parts[sample.labels.get("le") or sample.name.removeprefix(family.name)] = sample.value
    return [_histogram(dict(labels), parts, begun, now) for labels, parts in found.items()]


def _histogram(labels: dict[str, str], parts: Mapping[str, float], begun: int, now: int) -> HistogramDataPoint:
    bounds = [bound for bound in parts if bound != "+Inf" and not bound.startswith("_")]
    cumulated = [int(parts[bound]) for bound in (*bounds, "+Inf")]
    return HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=begun,
        time_unix_nano=now,
        count=cumulated[-1],
        sum=parts.get("_sum", 0.0),
        bucket_counts=_differences(cumulated),
        explicit_bounds=[float(bound) for bound in bounds],
        min=None,  # type: ignore[arg-type]  # left out of the message: buckets do not tell it
        max=None,  # type: ignore[arg-type]  # as above
    )


def _differences(cumulated: Sequence[int]) -> list[int]:
    return [count - before for before, count in zip((0, *cumulated), cumulated, strict=False)]
