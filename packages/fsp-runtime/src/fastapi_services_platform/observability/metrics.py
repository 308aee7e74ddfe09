"""Prometheus metrics. Counting a request costs a dictionary look-up; the text is made when somebody scrapes.

Requests are counted by method, route template and status. Paths without a route share one label, and unknown methods
share another, so that nobody can make series without end.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Literal

from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.resilience.pools import blocking

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_READ_SECONDS = 2.0
"""How long a scrape waits for the figures of a capability."""

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "WEBSOCKET"})


@dataclass(slots=True)
class Series:
    """Answers of one route: how many by status, and how long they took."""

    by_status: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Answers of every status whose time was taken."""
        return sum(self.buckets)


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric that is read when somebody scrapes: values by their labels."""

    name: str
    help: str
    kind: Literal["gauge", "counter"]
    labels: tuple[str, ...]
    values: Sequence[tuple[tuple[str, ...], float]]


Source = Callable[[], Iterable[Reading]]
Contributed = Callable[[], Awaitable[Sequence[Reading]]]

_log = get_logger(__name__)


class Measurements:
    """The metrics of one process. Used on the event loop only."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], Series] = {}
        self.answers = 0
        self.errors = 0
        self.seconds = 0.0
        self.streams: set[str] = set()
        self._sources: list[Source] = []
        self._contributed: list[tuple[str, Contributed]] = []
        self._read: list[Reading] = []

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; status 0 means that the client went away before there was one.

        An answer of a route in ``streams`` lasts as long as somebody looks at it: it has no time to answer.
        """
        key = (method, route)
        series = self.requests.get(key)
        if series is None:
            series = self._series(method, route)
        series.by_status[status] = series.by_status.get(status, 0) + 1
        if route in self.streams:
            return
        series.buckets[bisect_left(BUCKETS, seconds)] += 1
        series.seconds += seconds
        self.answers += 1
        self.seconds += seconds
        if status >= 500:
            self.errors += 1

    def add_source(self, source: Source) -> None:
        """Ask ``source`` for readings at every scrape."""
        self._sources.append(source)

    def add_contributed(self, capability: str, read: Contributed) -> None:
        """Await ``read`` at every scrape; what it gives belongs to the capability."""
        self._contributed.append((capability, read))

    async def refresh(self) -> None:
        """Read what capabilities contribute; :meth:`collect` shows it until the next time."""
        found = await asyncio.gather(*(_figures(capability, read) for capability, read in self._contributed))
        self._read = [reading for readings in found for reading in readings]

    async def exposition(self) -> bytes:
        """Everything in the Prometheus text format, written in a thread: what the system tells of the process is in
        files.
        """
        await self.refresh()
        return await blocking(_written, list(self.collect()))

    def collect(self) -> "Iterable[Metric]":
        """The interface of a Prometheus collector."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        total = CounterMetricFamily("fsp_http_requests", "Answers by route.", labels=("method", "route", "status"))
        timing = HistogramMetricFamily("fsp_http_request_seconds", "Time to answer.", labels=("method", "route"))
        for (method, route), series in self.requests.items():
            for status, count in series.by_status.items():
                total.add_metric((method, route, str(status) if status else "gone"), count)
            timing.add_metric((method, route), _cumulated(series.buckets), series.seconds)
        yield total
        yield timing
        for reading in chain(self._read, *(source() for source in self._sources)):
            family = CounterMetricFamily if reading.kind == "counter" else GaugeMetricFamily
            metric = family(reading.name, reading.help, labels=reading.labels)
            for labels, value in reading.values:
                metric.add_metric(labels, value)
            yield metric

    def _series(self, method: str, route: str) -> Series:
        known = method if method in _METHODS else "OTHER"
        return self.requests.setdefault((known, route), Series())


def one(name: str, help_text: str, value: float, kind: Literal["gauge", "counter"] = "gauge") -> Reading:
    """A reading without labels."""
    return Reading(name, help_text, kind, (), [((), value)])


def by_label(
    name: str, help_text: str, label: str, values: Mapping[str, float], kind: Literal["gauge", "counter"] = "gauge"
) -> Reading:
    """A reading with one label."""
    return Reading(name, help_text, kind, (label,), [((key,), value) for key, value in values.items()])


@dataclass(frozen=True, slots=True, eq=False)
class _Collected:
    """Metrics that were read before."""

    metrics: "Sequence[Metric]"

    def collect(self) -> "Iterable[Metric]":
        return self.metrics


def _written(metrics: "Sequence[Metric]") -> bytes:
    from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    for collector in (_Collected(metrics), PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    return generate_latest(registry)


async def _figures(capability: str, read: Contributed) -> Sequence[Reading]:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            readings = await read()
    except Exception as problem:
        _log.warning("metrics.not_read", capability=capability, problem=type(problem).__name__)
        return []
    prefix = capability.replace("-", "_") + "_"
    foreign = [reading.name for reading in readings if not reading.name.startswith(prefix)]
    if foreign:
        _log.warning("metrics.foreign_names", capability=capability, names=foreign, fix=f"begin them with {prefix}")
    return [reading for reading in readings if reading.name.startswith(prefix)]


def _cumulated(buckets: Sequence[int]) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
        total += count
        found.append((bound, float(total)))
    return found
