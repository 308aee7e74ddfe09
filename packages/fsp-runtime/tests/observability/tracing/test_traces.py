"""Traces reach a collector over OTLP/HTTP: one trace through request, database, outbound call and job."""

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi import APIRouter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import text

from fastapi_services_platform import Contribution, Job, Manifest, Platform, RouterMount, Tier, access, create_app
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.outbound.client import Client
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.observability.logger_factory import configure_logging, flush_logging, get_logger
from fastapi_services_platform.observability.tracing import setup
from fastapi_services_platform.observability.tracing.spans import Span, Trace, Tracing, span
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """An OTLP/HTTP collector and an upstream in one: it keeps spans, and the headers of every other call."""

    def __init__(self) -> None:
        collector = self
        self.spans: dict[str, Any] = {}  # Any: protobuf messages
        self.metrics: dict[str, Any] = {}  # Any: as above
        self.resource: dict[str, str] = {}
        self.headers: list[dict[str, str]] = []
        self.calls: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.headers.append({**headers, "path": self.path})
                if self.path == "/v1/metrics":
                    collector.keep_metrics(ExportMetricsServiceRequest.FromString(body))
                else:
                    collector.keep(ExportTraceServiceRequest.FromString(body))
                self._answer(200)

            def do_GET(self) -> None:
                collector.calls.append({name.lower(): value for name, value in self.headers.items()})
                self._answer(404 if self.path == "/missing" else 200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def keep(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.resource = {item.key: item.value.string_value for item in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans.update({item.name: item for item in scope.spans})

    def keep_metrics(self, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            self.resource = {item.key: item.value.string_value for item in resource.resource.attributes}
            for scope in resource.scope_metrics:
                self.metrics.update({item.name: item for item in scope.metrics})


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(5)


class Shop:
    """A route that asks its database and an upstream, and a job."""

    manifest = Manifest("shop", "1.0", "Sells", database=True)

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream

    async def initialize(self, platform: Platform) -> Contribution:
        router = APIRouter()
        database = platform.database("shop")
        client = Client("stock", ClientSettings(base_url=self.upstream))

        @router.get("/items/{number}")
        @access(public=True)
        async def item(number: int) -> dict[str, int]:
            async with database.session() as session:
                await session.execute(text("SELECT :secret"), {"secret": "hunter2"})
            with span("think"):
                get_logger("shop").info("item.shown", number=number)
            await client.get("/stock")
            return {"number": number}

        @router.get("/slow")
        @access(public=True)
        async def slow() -> None:
            await asyncio.sleep(0.5)

        @router.get("/broken")
        @access(public=True)
        async def broken() -> None:
            async with database.session() as session:
                await session.execute(text("SELECT nothing FROM nowhere"))

        async def count() -> None:
            return None

        self.client = client
        router_mount = RouterMount("api", router, Tier.API)
        return Contribution(routers=(router_mount,), jobs=(Job("count", count, 3600.0),))

    async def shutdown(self) -> None:
        await self.client.close()


Visit = Callable[..., Any]


@pytest.fixture
def traced(collector: Collector, tmp_path: Path) -> Visit:
    async def visit(*paths: str, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        values: dict[str, Any] = {"otlp_endpoint": collector.url, "trace_ratio": 1.0, **changes}
        app: Any = create_app(settings_for(tmp_path, **values), capabilities=[Shop(collector.url)])
        async with started_app(app) as client:
            for path in paths:
                await client.get(path, headers=headers)
            await app.platform.jobs.run_now("shop.count")

    return visit


async def test_one_trace_holds_request_database_and_upstream(traced: Visit, collector: Collector) -> None:
    """Names are templates, parents are right, parameters stay here, and the upstream is told whose trace it is in."""
    await traced("/items/7")
    spans = collector.spans
    request, statement, call = spans["GET /items/{number}"], spans["SELECT"], spans["GET stock"]
    assert {item.trace_id for item in (request, statement, call, spans["think"])} == {request.trace_id}
    assert {item.parent_span_id for item in (statement, call, spans["think"])} == {request.span_id}
    assert request.parent_span_id == b""
    assert collector.calls[0]["traceparent"] == f"00-{call.trace_id.hex()}-{call.span_id.hex()}-01"
    told = {item.key: item.value for item in request.attributes}
    assert told["http.route"].string_value == "/items/{number}"
    assert told["http.response.status_code"].int_value == 200
    assert told["fsp.capability"].string_value == "shop"
    assert {item.key: item.value.string_value for item in statement.attributes} == {
        "db.system.name": "sqlite",
        "db.namespace": "shop.db",
        "db.operation.name": "SELECT",
        "db.query.text": "SELECT ?",
    }
    assert statement.start_time_unix_nano <= statement.end_time_unix_nano
    assert spans["job shop.count"].trace_id != request.trace_id
    assert (collector.resource["service.name"], collector.resource["deployment.environment.name"]) == ("FSP", "test")


async def test_a_trusted_caller_decides_and_is_continued(traced: Visit, collector: Collector) -> None:
    """Its id and its state go on; its word on recording holds against the own share."""
    headers = {"traceparent": CALLER, "tracestate": "vendor=1"}
    await traced("/items/7", headers=headers, trace_ratio=0.0, trusted_proxies="127.0.0.0/8")
    request = collector.spans["GET /items/{number}"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (CALLER[3:35], CALLER[36:52])
    assert collector.calls[0]["tracestate"] == "vendor=1"


async def test_a_stranger_is_continued_and_decides_nothing(traced: Visit, collector: Collector) -> None:
    """The id goes on, so that logs can be joined; what is recorded is decided here."""
    await traced("/items/7", headers={"traceparent": CALLER}, trace_ratio=0.0)
    assert collector.spans == {}
    assert collector.calls[0]["traceparent"].startswith(CALLER[:36])
    assert collector.calls[0]["traceparent"].endswith("-00")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    ],
)
async def test_a_broken_header_begins_a_new_trace(wrong: str) -> None:
    """As W3C Trace Context asks."""
    tracing = Tracing(Kept(), 0.0)
    trace = tracing.begin(wrong.encode(), believed=True)
    tracing.finish(trace, "x", "server")
    assert (trace.parent_id, trace.id == CALLER[3:35]) == (0, False)


class Kept:
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def record(self, span: Span) -> None:
        self.spans.append(span)

    def close(self) -> None:
        return None


async def test_a_failure_is_seen(traced: Visit, collector: Collector) -> None:
    """The statement and the request are errors, and the kind is named."""
    await traced("/broken")
    errors = {
        name: next(item.value.string_value for item in found.attributes if item.key == "error.type")
        for name, found in collector.spans.items()
        if found.status.code == 2
    }
    assert errors == {"GET /broken": "500", "SELECT": "OperationalError"}


async def test_log_lines_carry_the_trace(traced: Visit, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The access line and an event of the endpoint hold the id of the recorded trace."""
    from fastapi_services_platform.engine import app_factory

    written = io.BytesIO()

    def configure(settings: Any, source: Any) -> None:
        configure_logging(settings, source, console=written)

    monkeypatch.setattr(app_factory, "configure_logging", configure)
    await traced("/items/7")
    flush_logging()
    lines = [orjson.loads(line) for line in written.getvalue().splitlines()]
    ids = [line["trace_id"] for line in lines if line["event"] in ("item.shown", "request")]
    assert ids == [collector.spans["GET /items/{number}"].trace_id.hex()] * 2


async def test_nothing_is_traced_unless_asked(traced: Visit, collector: Collector) -> None:
    """Without a collector's address there is no span, no header and no id."""
    await traced("/items/7", otlp_endpoint=None)
    assert (collector.spans, "traceparent" in collector.calls[0]) == ({}, False)


async def test_a_share_is_recorded() -> None:
    """Steps of a trace that is not recorded are not either."""
    kept = Kept()
    tracing = Tracing(kept, 0.25)
    for _ in range(2000):
        trace: Trace = tracing.begin()
        with span("inside"):
            pass
        tracing.finish(trace, "request", "server")
    assert 350 < len(kept.spans) < 650


async def test_headers_for_the_collector_are_sent(traced: Visit, collector: Collector) -> None:
    """For collectors that ask who sends."""
    await traced("/items/7", otlp_headers="api-key=k-1, tenant=north")
    assert (collector.headers[0]["api-key"], collector.headers[0]["tenant"]) == ("k-1", "north")


async def test_a_wrong_header_names_variable_and_fix(traced: Visit) -> None:
    """The value itself is a secret and is not shown."""
    with pytest.raises(ConfigurationError) as caught:
        await traced(otlp_headers="hunter2")
    assert str(caught.value).startswith("FSP_OTLP_HEADERS: a header for the collector is not name=value.")
    assert "hunter2" not in str(caught.value)


async def test_a_missing_extra_is_named(traced: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setattr(setup, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError) as caught:
        await traced()
    assert "install fastapi-services-platform[otel]" in str(caught.value)


async def test_a_collector_that_is_away_stops_nothing(traced: Visit, collector: Collector) -> None:
    """Requests are answered; the spans are lost."""
    await traced("/items/7", otlp_endpoint="http://127.0.0.1:9")
    assert len(collector.calls) == 1


async def test_metrics_reach_the_collector(traced: Visit, collector: Collector) -> None:
    """In the names of /metrics, with their labels, buckets and kinds; what there is at the end is sent as well."""
    await traced("/items/7", "/items/8", "/nothing")
    labels = {"method": "GET", "route": "/items/{number}"}
    requests, timing = collector.metrics["fsp_http_requests"], collector.metrics["fsp_http_request_seconds"]
    counted = [item for item in requests.sum.data_points if _labels(item) == {**labels, "status": "200"}]
    assert (requests.sum.is_monotonic, [item.as_double for item in counted]) == (True, [2.0])
    timed = next(item for item in timing.histogram.data_points if _labels(item) == labels)
    assert (timing.unit, timed.count, sum(timed.bucket_counts), timed.HasField("min")) == ("s", 2, 2, False)
    assert len(timed.bucket_counts) == len(timed.explicit_bounds) + 1
    assert timed.start_time_unix_nano < timed.time_unix_nano
    up = collector.metrics["fsp_capability_up"].gauge.data_points
    assert {"capability": "shop"} in [_labels(item) for item in up]
    assert "process_resident_memory_bytes" in collector.metrics
    assert collector.resource["service.name"] == "FSP"


async def test_metrics_are_sent_again_and_again(traced: Visit, collector: Collector) -> None:
    """Not only at the end."""
    await traced("/items/7", "/slow", otlp_metrics_seconds=0.02)
    assert len([item for item in collector.headers if "metrics" in item["path"]]) >= 2


async def test_metrics_may_stay_here(traced: Visit, collector: Collector) -> None:
    """Zero seconds: traces alone are sent."""
    await traced("/items/7", otlp_metrics_seconds=0)
    assert (collector.metrics, "GET /items/{number}" in collector.spans) == ({}, True)


def _labels(point: Any) -> dict[str, str]:  # Any: a protobuf message
    return {item.key: item.value.string_value for item in point.attributes}
