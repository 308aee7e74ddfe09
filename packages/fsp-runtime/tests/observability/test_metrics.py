"""Metrics: few series whatever callers ask for, and a text that Prometheus reads."""

import io
from collections.abc import Iterator
from types import SimpleNamespace

import orjson
import pytest

from fastapi_services_platform.observability.logger_factory import close_logging, configure_logging, flush_logging
from fastapi_services_platform.observability.metrics import BUCKETS, Measurements, Reading, by_label, one


@pytest.fixture
def measured() -> Measurements:
    measurements = Measurements()
    measurements.observe("GET", "/notes/{id}", 200, 0.004)
    measurements.observe("GET", "/notes/{id}", 503, 0.2)
    measurements.observe("GET", "(no route)", 404, 0.001)
    return measurements


async def lines(measurements: Measurements) -> list[str]:
    return (await measurements.exposition()).decode().splitlines()


async def test_answers_are_counted_by_route_and_status(measured: Measurements) -> None:
    """Each route has a series for each status."""
    assert 'fsp_http_requests_total{method="GET",route="/notes/{id}",status="503"} 1.0' in await lines(measured)


async def test_times_are_cumulated(measured: Measurements) -> None:
    """A bucket holds every answer that was at least as quick."""
    shown = await lines(measured)
    assert 'fsp_http_request_seconds_bucket{le="0.005",method="GET",route="/notes/{id}"} 1.0' in shown
    assert 'fsp_http_request_seconds_bucket{le="+Inf",method="GET",route="/notes/{id}"} 2.0' in shown


def test_an_answer_at_a_bound_belongs_to_it(measured: Measurements) -> None:
    """``le`` means less or equal."""
    assert measured.requests["GET", "(no route)"].buckets[BUCKETS.index(0.001)] == 1


def test_odd_methods_share_a_series() -> None:
    """Nobody can make series without end by inventing methods."""
    measurements = Measurements()
    for number in range(100):
        measurements.observe(f"M{number}", "(no route)", 405, 0.001)
    assert list(measurements.requests) == [("OTHER", "(no route)")]


async def test_clients_that_went_away_are_counted() -> None:
    """An answer that nobody took is counted as gone."""
    measurements = Measurements()
    measurements.observe("GET", "/", 0, 0.1)
    assert 'fsp_http_requests_total{method="GET",route="/",status="gone"} 1.0' in await lines(measurements)


async def test_sources_are_read_at_each_scrape() -> None:
    """A source gives the values of the moment."""
    measurements, depth = Measurements(), [1.0]
    measurements.add_source(lambda: [one("fsp_depth", "Depth.", depth[0])])
    measurements.add_source(lambda: [by_label("fsp_up", "Up.", "capability", {'a"b': 1.0})])
    depth[0] = 2.0
    shown = await lines(measurements)
    assert ("fsp_depth 2.0" in shown, 'fsp_up{capability="a\\"b"} 1.0' in shown) == (True, True)


@pytest.fixture
def console() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    configure_logging(SimpleNamespace(log_dir=None, log_level="info"), console=stream)
    yield stream
    close_logging()


async def test_figures_of_capabilities_are_awaited_at_each_scrape(console: io.BytesIO) -> None:
    """What fails, or is named for somebody else, is left out, told in the log, and spoils nothing."""
    measurements, depth = Measurements(), [1.0]

    async def read() -> list[Reading]:
        return [one("my_notes_depth", "Depth.", depth[0]), one("fsp_up", "Not theirs.", 1.0)]

    async def fail() -> list[Reading]:
        raise OSError("no database")

    measurements.add_contributed("broken", fail)
    measurements.add_contributed("my-notes", read)
    depth[0] = 2.0
    shown = await lines(measurements)
    flush_logging()
    told = [orjson.loads(line) for line in console.getvalue().splitlines()]
    assert ("my_notes_depth 2.0" in shown, "fsp_up 1.0" in shown) == (True, False)
    assert [(event["event"], event["capability"]) for event in told] == [
        ("metrics.not_read", "broken"),
        ("metrics.foreign_names", "my-notes"),
    ]
