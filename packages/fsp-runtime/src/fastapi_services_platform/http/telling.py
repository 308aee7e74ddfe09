"""What is told of a request once it is answered: metrics, one line of log, the end of its trace, and why it failed."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import ceil
from time import perf_counter

import orjson

from fastapi_services_platform.http.door.shedding import OVERLOADED
from fastapi_services_platform.http.exchange import Exchange
from fastapi_services_platform.http.problems import Problem, ProblemRaised
from fastapi_services_platform.observability.logger_factory import Channel
from fastapi_services_platform.observability.tracing.spans import Attribute, Trace, Tracing
from fastapi_services_platform.resilience.bulkhead import BulkheadFull
from fastapi_services_platform.resilience.circuit_breaker import CircuitOpen
from fastapi_services_platform.resilience.pools import PoolExhausted

Observer = Callable[[str, str, int, float], None]
"""Told of every answer: method, route template, status, seconds."""

ACCESS_LOG = "fastapi_services_platform.access"

_UNMATCHED = "(no route)"
_INFO = 20


def tell_of(exchange: Exchange, observers: Iterable[Observer], channel: Channel) -> None:
    """Tell metrics and log. The log line holds the route's template: a path may carry a secret."""
    seconds = perf_counter() - exchange.begun
    entry = exchange.entry
    route = entry.path if entry is not None else _UNMATCHED
    method = exchange.scope.get("method", "WEBSOCKET")
    for observe in observers:
        observe(method, route, exchange.status, seconds)
    if channel.threshold > _INFO:
        return
    line: dict[str, object] = {
        "time": datetime.now(UTC),
        "level": "info",
        "logger": ACCESS_LOG,
        "event": "request",
        "correlation_id": exchange.correlation_id,
        "method": method,
        "route": route,
        "status": exchange.status or "gone",
        "ms": round(seconds * 1000, 2),
    }
    if entry is not None:
        line["capability"] = entry.owner.name
    if exchange.principal is not None:
        line["principal"] = exchange.principal.urn
        line["tenant"] = exchange.principal.tenant
    if exchange.trace is not None:
        line["trace_id"] = exchange.trace.id
    channel.submit_clean(orjson.dumps(line, option=orjson.OPT_UTC_Z))


def end_trace(tracing: Tracing, exchange: Exchange, trace: Trace) -> None:
    """Hand the request's span over, named after the route."""
    entry, scope = exchange.entry, exchange.scope
    method = scope.get("method", "WEBSOCKET")
    attributes: dict[str, Attribute] = {}
    if trace.sampled:
        attributes = {
            "http.request.method": method,
            "http.response.status_code": exchange.status,
            "url.scheme": scope.get("scheme", "http"),
            "fsp.correlation_id": exchange.correlation_id,
        }
        if entry is not None:
            attributes["http.route"] = entry.path
            attributes["fsp.capability"] = entry.owner.name
    name = f"{method} {entry.path}" if entry is not None else method
    error = str(exchange.status) if exchange.status >= 500 else ""
    tracing.finish(trace, name, "server", attributes, error)


def problem_of(exchange: Exchange, error: Exception) -> Problem | None:
    """What a failure means to the caller; ``None`` for one that nobody expected."""
    if isinstance(error, ProblemRaised):
        return error.problem
    if exchange.expired or (isinstance(error, TimeoutError) and exchange.overdue_at() <= perf_counter()):
        detail = f"The answer was not ready within {min(exchange.limit, exchange.deadline - exchange.begun):g} s."
        return Problem(504, "request-timeout", "The request took too long", detail)
    if isinstance(error, CircuitOpen):
        pause = {"retry-after": str(ceil(error.retry_after))}
        return Problem(503, "upstream-unavailable", "Something behind this is not available", headers=pause)
    if isinstance(error, BulkheadFull | PoolExhausted):
        return OVERLOADED
    return None
