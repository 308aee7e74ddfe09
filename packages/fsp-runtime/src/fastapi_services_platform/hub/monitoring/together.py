"""Figures and health of all processes of one parent as one: what a chart shows, whichever process answers for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import zip_longest
from typing import Any

import orjson

from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory, Look
from fastapi_services_platform.observability.vitals import Sample, Vitals

SAMPLES = "samples"
LOOKS = "looks"

_WORSE = {"healthy": 0, "degraded": 1, "unhealthy": 2}


class Together:
    """Asks the siblings for what they have; one that does not answer in time is left out."""

    def __init__(self, siblings: Siblings, vitals: Vitals, history: HealthHistory) -> None:
        self._siblings = siblings
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

        self._siblings.answers |= {SAMPLES: samples, LOOKS: looks}

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

    async def _ask(self, question: str, count: int) -> list[list[dict[str, Any]]]:  # Any: JSON
        return [orjson.loads(answer) for answer in (await self._siblings.ask(question, count)).values()]


def summed(samples: Sequence[Sample]) -> Sample:
    """Rates and memory add up, the mean is weighted by answers, the delay is the longest."""
    rate = sum(sample.requests_per_second for sample in samples)
    spent = sum(sample.mean_ms * sample.requests_per_second for sample in samples)
    return Sample(
        at=max(sample.at for sample in samples),
        requests_per_second=round(rate, 2),
        errors_per_second=round(sum(sample.errors_per_second for sample in samples), 2),
        mean_ms=round(spent / rate, 2) if rate else 0.0,
        lag_ms=max(sample.lag_ms for sample in samples),
        memory_mb=round(sum(sample.memory_mb for sample in samples), 1),
    )


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
