"""Spans on their way to a collector: OpenTelemetry's SDK, OTLP over HTTP, batches sent by a thread of its own.

The SDK samples nothing and knows no request: it is handed finished spans. Imported only where something is traced.
"""

import threading
from collections.abc import Mapping

from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from fastapi_services_platform.observability.tracing.spans import Span, Trace

_SCOPE = "fastapi_services_platform"
_SEND_SECONDS = 3
_CLOSE_MILLISECONDS = 3000
_KINDS = {"server": api.SpanKind.SERVER, "client": api.SpanKind.CLIENT, "internal": api.SpanKind.INTERNAL}


class GivenIds(IdGenerator):
    """The ids that a trace has already, in logs and in outbound calls."""

    def __init__(self) -> None:
        self._next = threading.local()

    def give(self, trace: Trace) -> None:
        """What the next span of this thread is called."""
        self._next.trace = trace

    def generate_trace_id(self) -> int:
        """The trace of the next span."""
        found: int = self._next.trace.trace_id
        return found

    def generate_span_id(self) -> int:
        """The next span."""
        found: int = self._next.trace.span_id
        return found


class OtlpRecorder:
    """Hands spans to the SDK. Spans that find its queue full are lost, never waited for."""

    def __init__(self, url: str, headers: Mapping[str, str], resource: Mapping[str, str]) -> None:
        self._ids = GivenIds()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource.create(resource), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=url, headers=headers, timeout=_SEND_SECONDS))
        )
        self._tracer = self._provider.get_tracer(_SCOPE, resource["service.version"])

    def record(self, span: Span) -> None:
        """Queue a finished span."""
        self._ids.give(span.trace)
        made = self._tracer.start_span(
            span.name,
            api.set_span_in_context(api.NonRecordingSpan(_around(span))),
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            start_time=span.trace.begun,
        )
        if span.error:
            made.set_status(api.Status(api.StatusCode.ERROR))
            made.set_attribute("error.type", span.error)
        made.end(span.ended)

    def close(self) -> None:
        """Send what is queued, within a few seconds. Blocks."""
        self._provider.force_flush(_CLOSE_MILLISECONDS)
        self._provider.shutdown()


def _around(span: Span) -> api.SpanContext:
    trace = span.trace
    if not trace.parent_id:
        return api.INVALID_SPAN_CONTEXT
    state = api.TraceState.from_header([trace.state]) if trace.state else None
    sampled = api.TraceFlags(api.TraceFlags.SAMPLED)
    return api.SpanContext(trace.trace_id, trace.parent_id, span.kind == "server", sampled, state)
