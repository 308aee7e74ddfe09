"""The one fused ASGI layer around the finished app.

In this order and before a body is parsed: correlation id, header limits, host, forwarded headers, route look-up, body
limit, authentication, proof against forgery, permission; then the endpoint; then headers, metrics and one line of log.
It is never a ``BaseHTTPMiddleware`` and calls the matched route itself, so what was authorized is exactly what runs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.http.compiled import CompiledEndpoint, Misfit, ReplayedBody
from fastapi_services_platform.http.door.addresses import Hosts, Proxies
from fastapi_services_platform.http.door.admission import Admission
from fastapi_services_platform.http.door.correlation import ALTERNATIVE, HEADER, accept
from fastapi_services_platform.http.door.cors import Cors
from fastapi_services_platform.http.door.request_limits import LimitedBody, header_problem, length_problem
from fastapi_services_platform.http.door.security_headers import strict_headers
from fastapi_services_platform.http.door.shedding import OVERLOADED, BusyAnswer, Lane, Turn
from fastapi_services_platform.http.exchange import SCOPE_KEY, Exchange, current
from fastapi_services_platform.http.fastapi_seams import enter_mount, prepare_scope
from fastapi_services_platform.http.outbound.deadlines import HEADER as DEADLINE
from fastapi_services_platform.http.outbound.deadlines import asked_seconds
from fastapi_services_platform.http.problems import Problem, find_handler, respond, send_json
from fastapi_services_platform.http.routing import Found, RouteEntry, RouteIndex, RouteTerms
from fastapi_services_platform.http.telling import ACCESS_LOG, Observer, end_trace, problem_of, tell_of
from fastapi_services_platform.observability.logger_factory import channel_of, get_logger
from fastapi_services_platform.observability.tracing.spans import Tracing

if TYPE_CHECKING:
    from fastapi_services_platform.http.pages import Pages

ProblemPage = Callable[[Request, Mapping[str, object], int], Awaitable[Response]]
_STARTING = Problem(503, "starting", "The platform is starting", "Try again in a moment.", headers={"retry-after": "2"})
_NOT_FOUND = Problem(404, "not-found", "Not Found", "There is nothing under this address.")
_UNKNOWN_HOST = Problem(400, "unknown-host", "Unknown host", "The platform does not answer for this host name.")
_FAILED = Problem(500, "internal-error", "Something went wrong here", "The error is logged under the correlation id.")
_SHOWN_WITH_CALLER = frozenset({404, 405})
"""Refused before anybody was asked who is there; the frame of the page shows who is."""
_SHARE = 0.75
"""Of the places, that one capability may take: if it hangs, the others still have the rest."""

QUEUED = "fsp.queued"
"""In the scope of a request that the server counted in as waiting."""

_DEADLINE = DEADLINE.lower().encode("ascii")


class Edge:
    """Everything between the server and an endpoint. One object per app; the fields that the start fills are public."""

    def __init__(self, app: ASGIApp, router: APIRouter, settings: PlatformSettings, registry: Registry) -> None:
        self.app = app
        self.router = router
        self.settings = settings
        self.registry = registry
        self.log = get_logger(ACCESS_LOG)
        self.strict = strict_headers(https=settings.https)
        self.index: RouteIndex | None = None
        self.admission: Admission | None = None
        self.problem_page: ProblemPage | None = None
        self.pages: Pages | None = None
        self.observers: tuple[Observer, ...] = ()
        self.handlers: tuple[dict[Any, Any], dict[int, Any]] = (
            {},
            {},
        )  # Any: exception class → handler, as Starlette has it
        self.lane = Lane(settings.max_concurrent_requests)
        self.lanes: dict[tuple[tuple[str, int] | None, str], Lane] = {}
        self.turn = Turn(settings.max_turn_seconds)
        self.own_lane = Lane(settings.max_concurrent_requests)
        self.busy = BusyAnswer(self.strict, settings.public_url)
        self.in_flight: set[Exchange] = set()
        self.tracing: Tracing | None = None
        self._channel = channel_of(ACCESS_LOG)
        self._hosts = Hosts(settings)
        self._proxies = Proxies(settings.trusted_proxies)
        self._cors = Cors(settings.cors_origins)
        self.time_limit = settings.request_timeout
        self._max_body = settings.max_body_bytes
        self._header_limits = (settings.max_header_bytes, settings.max_header_count)

    def takes(self, method: str, path: str) -> bool:
        """Whether a request that arrives is let in; the platform's own routes always are. Asked by the server."""
        if self.index is None:
            return True
        full = self.lane.under_way + self.turn.waiting >= self.lane.limit
        if not full and self.turn.takes():
            return True
        if self.is_own(method, path):
            return True
        self.lane.shed += full
        return False

    def is_own(self, method: str, path: str) -> bool:
        """Whether a request is for a route of the platform's own."""
        return self.index is not None and self.index.in_own_lane(method, path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request or WebSocket handshake."""
        if QUEUED in scope:
            self.turn.waiting -= 1
        headers: dict[bytes, bytes] = dict(scope["headers"])
        own_id = headers.get(HEADER) or headers.get(ALTERNATIVE)
        exchange = Exchange(self, scope, send, accept(own_id), perf_counter())
        exchange.task = asyncio.current_task()
        scope["app"] = self.app
        scope[SCOPE_KEY] = exchange
        if self.tracing is not None:
            believed = self._proxies.any and self._proxies.sent(scope)
            exchange.trace = self.tracing.begin(
                headers.get(b"traceparent"), headers.get(b"tracestate"), believed=believed
            )
        before = current.set(exchange)
        self.in_flight.add(exchange)
        try:
            await self._answer(exchange, scope, headers, receive)
        except Exception as error:
            await self._fail(exchange, error, receive)
        except asyncio.CancelledError:
            if not exchange.expired or exchange.task is None:
                raise
            exchange.task.uncancel()
            await self._fail(exchange, TimeoutError(), receive)
        finally:
            exchange.finished = True
            self.in_flight.discard(exchange)
            if exchange.services is not None:
                await self._close(exchange)
            tell_of(exchange, self.observers, self._channel)
            current.reset(before)
            if exchange.trace is not None and self.tracing is not None:
                end_trace(self.tracing, exchange, exchange.trace)

    async def _answer(self, exchange: Exchange, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> None:
        problem = self._door_problem(exchange, scope, headers)
        index = self.index
        admission = self.admission
        if problem is not None or index is None or admission is None:
            await self._refuse(exchange, problem or _STARTING, receive)
            return
        found = index.find(scope["type"], scope.get("method", ""), scope["path"])
        if found is None:
            await self._nowhere(exchange, index, receive)
            return
        entry = found.entry
        exchange.entry = entry
        _apply_terms(exchange, entry.terms, headers)
        if found.allowed:
            await self._refuse(exchange, _not_allowed(found.allowed), receive)
            return
        length = headers.get(b"content-length")
        if length is not None or b"transfer-encoding" in headers:
            limit = entry.terms.max_body_bytes or self._max_body
            too_long = length_problem(length, limit)
            if too_long is not None:
                await self._refuse(exchange, too_long, receive)
                return
            receive = LimitedBody(receive, limit, exchange)
        own = entry.terms.own_lane
        lane = self._lane_of(entry) if entry.terms.lane is not None or not own else self.own_lane
        if (not own and self.turn.is_over(QUEUED in scope)) or not lane.enter():
            await self._refuse(exchange, OVERLOADED, receive)
            return
        try:
            verdict, receive = await admission.judge(exchange, entry, headers, receive)
            if verdict is None:
                await self._run(exchange, scope, headers, found, receive)
            else:
                await self._refuse(exchange, verdict, receive)
        finally:
            lane.leave()

    def _lane_of(self, entry: RouteEntry) -> Lane:
        """The places of a capability, inside those of its tier, inside the platform's."""
        terms, owner = entry.terms, entry.owner.name
        lane = self.lanes.get((terms.lane, owner))
        if lane is not None:
            return lane
        outer = self.own_lane if terms.own_lane else self.lane
        if terms.lane is not None:
            outer = self.lanes.setdefault((terms.lane, ""), Lane(terms.lane[1], outer))
        share = outer.limit if terms.own_lane else ceil(outer.limit * _SHARE)
        lane = self.lanes[(terms.lane, owner)] = Lane(share, outer)
        return lane

    def _door_problem(self, exchange: Exchange, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        problem = header_problem(scope["headers"], headers, *self._header_limits)
        if problem is not None:
            return problem
        if not self._hosts.accepts(headers.get(b"host")):
            return _UNKNOWN_HOST
        if self._proxies.any:
            self._proxies.apply(scope, headers)
        if self._cors.any:
            exchange.extra_headers = self._cors.headers_for(headers)
            return self._cors.preflight(scope.get("method", ""), headers)
        return None

    async def _run(
        self, exchange: Exchange, scope: Scope, headers: dict[bytes, bytes], found: Found, receive: Receive
    ) -> None:
        entry = found.entry
        app, scope_update, compiled = entry.target()
        scope.update(scope_update)
        if entry.kind == "mount":
            enter_mount(scope, found.path_params)
        scope["path_params"] = found.path_params
        if compiled is not None and not getattr(self.app, "dependency_overrides", None):
            scope["router"] = self.router
            try:
                values, request = await compiled.arguments(scope, headers, receive)
            except Misfit as misfit:
                if misfit.body is not None:
                    receive = ReplayedBody(misfit.body, receive)
            else:
                await self._run_compiled(exchange, compiled, values, request, receive)
                return
        stack = prepare_scope(scope, self.router, self.handlers)
        try:
            await app(scope, receive, exchange.send)
        finally:
            await stack.aclose()

    async def _run_compiled(
        self,
        exchange: Exchange,
        compiled: CompiledEndpoint,
        values: dict[str, Any],
        request: Request | None,
        receive: Receive,
    ) -> None:  # Any: the endpoint's arguments
        try:
            await compiled.run(exchange, values, request, receive)
        except Exception as error:
            handler = find_handler(self.handlers[0], error)
            if handler is None or exchange.started:
                raise
            response = await handler(request or Request(exchange.scope, receive), error)
            await response(exchange.scope, receive, exchange.send)

    async def _nowhere(self, exchange: Exchange, index: RouteIndex, receive: Receive) -> None:
        scope = exchange.scope
        other = index.redirect_of(scope["path"]) if scope["type"] == "http" else None
        if other is None or other.startswith("//"):
            await self._refuse(exchange, _NOT_FOUND, receive)
            return
        url = HTTPConnection({**scope, "path": other}).url
        response = Response(status_code=307, headers={"location": str(url)})
        await response(scope, receive, exchange.send)

    async def _refuse(self, exchange: Exchange, problem: Problem, receive: Receive) -> None:
        exchange.status = problem.status
        if exchange.scope["type"] == "websocket":
            await receive()
            await exchange.send({"type": "websocket.close", "code": 1008, "reason": problem.slug})
            return
        if problem.status >= 400 and not exchange.wants_html:
            await send_json(exchange, problem)
            return
        if self.admission is not None and problem.status in _SHOWN_WITH_CALLER:
            await self.admission.recognise(exchange)
        response = await respond(exchange, problem)
        await response(exchange.scope, receive, exchange.send)

    async def _fail(self, exchange: Exchange, error: Exception, receive: Receive) -> None:
        problem = problem_of(exchange, error)
        if problem is None:
            self.log.error("request.failed", exc_info=error)
            problem = _FAILED
        if exchange.started or exchange.scope["type"] != "http":
            exchange.status = 500
            raise error
        await self._refuse(exchange, problem, receive)

    async def _close(self, exchange: Exchange) -> None:
        try:
            if exchange.services is not None:
                await exchange.services.close()
        except Exception as error:
            self.log.error("request.cleanup_failed", error=repr(error))


def _apply_terms(exchange: Exchange, terms: RouteTerms, headers: Mapping[bytes, bytes]) -> None:
    if terms.headers:
        exchange.extra_headers += terms.headers
    if terms.request_timeout is not None:
        exchange.limit = terms.request_timeout
    asked = headers.get(_DEADLINE)
    if asked is not None and (seconds := asked_seconds(asked)) is not None:
        exchange.deadline = exchange.begun + seconds


def _not_allowed(allowed: frozenset[str]) -> Problem:
    allow = ", ".join(sorted(allowed))
    return Problem(405, "method-not-allowed", "Method Not Allowed", f"Allowed here: {allow}.", headers={"allow": allow})
