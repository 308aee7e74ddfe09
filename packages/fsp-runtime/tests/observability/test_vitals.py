"""The pulse of the process."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator

import orjson
import pytest

from fastapi_services_platform.observability import vitals as module
from fastapi_services_platform.observability.logger_factory import close_logging, configure_logging, flush_logging
from fastapi_services_platform.observability.metrics import Measurements
from fastapi_services_platform.observability.vitals import Vitals, resident_bytes


class Settings:
    log_dir = None
    log_level = "info"


@pytest.fixture
def console() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    configure_logging(Settings(), console=stream)
    yield stream
    close_logging()


@pytest.fixture
async def vitals(console: io.BytesIO, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vitals]:
    monkeypatch.setattr(module, "_SAMPLE_SECONDS", 0.2)
    watch = Vitals(Measurements())
    await watch.start()
    yield watch
    await watch.stop()


async def next_sample(vitals: Vitals) -> None:
    async with asyncio.timeout(10), vitals.sampled:
        await vitals.sampled.wait()


async def test_a_sample_tells_what_happened_since_the_last(vitals: Vitals) -> None:
    """Rates and means are of the time between two samples."""
    await next_sample(vitals)
    for _ in range(10):
        vitals._measurements.observe("GET", "/", 500, 0.02)
    await next_sample(vitals)
    sample = vitals.samples[-1]
    assert (sample.mean_ms, sample.requests_per_second > 5, sample.errors_per_second > 5) == (20.0, True, True)


async def test_a_stall_is_named_with_its_stack(vitals: Vitals, console: io.BytesIO) -> None:
    """Whoever blocks the loop stands in the log with file and line, and the lag is measured."""
    await next_sample(vitals)
    time.sleep(0.8)  # the very thing that must not happen
    await next_sample(vitals)
    flush_logging()
    events = [orjson.loads(line) for line in console.getvalue().splitlines()]
    stall = next(event for event in events if event["event"] == "loop.stalled")
    assert any("test_vitals.py" in line for line in stall["stack"])
    assert (max(sample.lag_ms for sample in vitals.samples) > 300, vitals.stalls >= 1) == (True, True)


def test_memory_is_read_from_the_system() -> None:
    """A running Python needs more than a megabyte."""
    assert resident_bytes() > 1_000_000
