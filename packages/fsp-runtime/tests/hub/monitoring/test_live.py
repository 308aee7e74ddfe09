"""Live figures as server-sent events."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import orjson

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory
from fastapi_services_platform.hub.monitoring.live import _events, event_of
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.hub.monitoring.together import Together
from fastapi_services_platform.observability.metrics import Measurements
from fastapi_services_platform.observability.vitals import Sample, Vitals
from fastapi_services_platform.testing.started_app import settings_for

SAMPLE = Sample(datetime(2026, 1, 2, tzinfo=UTC), 1.5, 0.0, 12.0, 0.3, 80.0)


class Probe:
    """The part of the platform that says when it drains."""

    draining = False


def test_a_sample_is_one_event() -> None:
    """An event ends with an empty line and holds one line of JSON."""
    event = event_of(SAMPLE)
    assert (event[:6], event[-2:], orjson.loads(event[6:])["mean_ms"]) == (b"data: ", b"\n\n", 12.0)


async def test_the_stream_follows_the_samples_and_ends_with_the_platform(tmp_path: Path) -> None:
    """Each sample is sent once; when the platform drains the stream ends, so that no open page delays its end."""
    vitals, probe = Vitals(Measurements()), Probe()
    history = HealthHistory(Overview(Platform(settings_for(tmp_path))))
    together = Together(Siblings(), vitals, history, Measurements())
    received: list[bytes] = []

    async def read() -> None:
        received.extend([event async for event in _events(vitals, together, probe)])

    reading = asyncio.create_task(read())
    for last in (False, True):
        await asyncio.sleep(0)
        async with vitals.sampled:
            vitals.samples.append(SAMPLE)
            probe.draining = last
            vitals.sampled.notify_all()
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await reading
    assert received[0].startswith(b"retry:")
    assert received[-1] == event_of(SAMPLE)
