"""Figures and health of all processes of one parent as one: what a chart shows, whichever process answers for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

import orjson

from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory, Look
from fastapi_services_platform.observability.metrics import Measurements, Series
from fastapi_services_platform.observability.vitals import Sample, Vitals

SAMPLES = "samples"
LOOKS = "looks"
ROUTES = "routes"

_BUSIEST = 8
_SERVER_ERROR = 500
_WORSE = {"healthy": 0, "degraded": 1, "unhealthy": 2}


@dataclass(frozen=True, slots=True)
class BusyRoute:
    """A route as ``METHOD template``: its answers since the start, the seconds that they took, and how many failed."""

    name: str
    answers: int
    seconds: float
    failed: int


class Together:
    """Asks the siblings for what they have; one that does not answer in time is left out."""

    def __init__(self, siblings: Siblings, vitals: Vitals, history: HealthHistory, measurements: Measurements) -> None:
        self._siblings = siblings
        self._measurements = measurements
        self._vitals = vitals
        self._history = history

    @property
    def alone(self) -> bool:
        """Whether there is one process only."""
        return self._siblings.alone

    def answer_siblings(self) -> None:
        """Tell the others what is known here, when they ask."""

        async def samples(content: object) -> bytes:
            return orjson.dumps([asdict(sample) for sample in _last(self._vitals.samples, content)])

        async def looks(content: object) -> bytes:
            return orjson.dumps([asdict(look) for look in _last(self._history.looks, content)])

        async def routes(_content: object) -> bytes:
            return orjson.dumps([asdict(route) for route in self._routes()])

        self._siblings.answers |= {SAMPLES: samples, LOOKS: looks, ROUTES: routes}

    async def samples(self, count: int) -> list[Sample]:
        """The last ones, oldest first, each of all processes."""
        own = _last(self._vitals.samples, count)
        if self._siblings.alone:
            return own
        others = [[_sample(item) for item in found] for found in await self._ask(SAMPLES, count)]
        return [summed(moment) for moment in _aligned([own, *others])]

    async def looks(self, count: int) -> list[Look]:
        """The last ones, oldest first, each the worst that any process saw."""
        own = _last(self._history.looks, count)
        if self._siblings.alone:
            return own
        others = [[_look(item) for item in found] for found in await self._ask(LOOKS, count)]
        return [worst(moment) for moment in _aligned([own, *others])]

    async def busiest(self, count: int = _BUSIEST) -> list[BusyRoute]:
        """The routes with the most answers of all processes."""
        routes = self._routes()
        if not self._siblings.alone:
            routes += [BusyRoute(**item) for found in await self._ask(ROUTES, 0) for item in found]
        by_name: dict[str, list[BusyRoute]] = {}
        for route in routes:
            by_name.setdefault(route.name, []).append(route)
        found = [_one_route(name, parts) for name, parts in by_name.items()]
        return sorted(found, key=lambda route: route.answers, reverse=True)[:count]

    def _routes(self) -> list[BusyRoute]:
        return [
            BusyRoute(f"{method} {route}", series.count, series.seconds, _failed(series))
            for (method, route), series in self._measurements.requests.items()
        ]

    async def _ask(self, question: str, count: int) -> list[list[dict[str, Any]]]:  # Any: JSON
        return [orjson.loads(answer) for answer in (await self._siblings.ask(question, count)).values()]


def summed(samples: Sequence[Sample]) -> Sample:
    """Rates, memory and connections add up, the mean is weighted by answers, the delay is the longest."""
    rate = sum(sample.requests_per_second for sample in samples)
    spent = sum(sample.mean_ms * sample.requests_per_second for sample in samples)
    return Sample(
        at=max(sample.at for sample in samples),
        requests_per_second=round(rate, 2),
        errors_per_second=round(sum(sample.errors_per_second for sample in samples), 2),
        mean_ms=round(spent / rate, 2) if rate else 0.0,
        lag_ms=max(sample.lag_ms for sample in samples),
        memory_mb=round(sum(sample.memory_mb for sample in samples), 1),
        connections=sum(sample.connections for sample in samples),
    )


def _failed(series: Series) -> int:
    return sum(count for status, count in series.by_status.items() if status >= _SERVER_ERROR)


def _one_route(name: str, parts: Sequence[BusyRoute]) -> BusyRoute:
    answers, failed = sum(part.answers for part in parts), sum(part.failed for part in parts)
    return BusyRoute(name, answers, sum(part.seconds for part in parts), failed)


def worst(looks: Sequence[Look]) -> Look:
    """The worst state, and every part that ails somewhere."""
    status = max((look.status for look in looks), key=lambda status: _WORSE.get(status, 0))
    ailing = sorted({name for look in looks for name in look.ailing})
    return Look(max(look.at for look in looks), status, tuple(ailing))


def _last(items: Iterable[Any], count: object) -> list[Any]:  # Any: samples or looks
    return list(items)[-count:] if isinstance(count, int) and count > 0 else []


def _aligned(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:  # Any: as above
    """The latest of every row together, then those before them: processes look in the same rhythm, not at once."""
    backwards = zip_longest(*(reversed(row) for row in rows))
    return [[item for item in moment if item is not None] for moment in backwards][::-1]


def _sample(given: Mapping[str, Any]) -> Sample:  # Any: JSON
    return Sample(**{**given, "at": datetime.fromisoformat(given["at"])})


def _look(given: Mapping[str, Any]) -> Look:  # Any: JSON
    return Look(datetime.fromisoformat(given["at"]), given["status"], tuple(given["ailing"]))
