"""The one fused ASGI layer around the finished app.

In this order and before a body is parsed: correlation id, header limits, host, forwarded headers, route look-up, body
limit,
authentication, proof against forgery, permission; then the endpoint; then headers, metrics and one line of log. It is
never a ``BaseHTTPMiddleware`` and calls the matched route itself, so what was authorized is exactly what runs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any

from fastapi.routing import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.http.addresses import Hosts, Proxies
from fastapi_services_platform.http.admission import Admission
from fastapi_services_platform.http.correlation import ALTERNATIVE, HEADER, accept, correlation_id
from fastapi_services_platform.http.exchange import SCOPE_KEY, Exchange, current
from fastapi_services_platform.http.fastapi_seams import enter_mount, prepare_scope
from fastapi_services_platform.http.problems import Problem, ProblemRaised, respond
from fastapi_services_platform.http.request_limits import LimitedBody, header_problem, length_problem
from fastapi_services_platform.http.routing import Found, RouteIndex
from fastapi_services_platform.http.security_headers import OVERRIDABLE, strict_headers
from fastapi_services_platform.observability.logger_factory import get_logger

ProblemPage = Callable[[Request, Mapping[str, object], int], Awaitable[Response]]
Observer = Callable[[str, str, int, float], None]
"""Told of every answer: method, route template, status, seconds."""

_UNMATCHED = "(no route)"
_STARTING = Problem(503, "starting", "The platform is starting", "Try again in a moment.", headers={"retry-after": "2"})


class Edge:
    """Everything between the server and an endpoint. One object per app; the fields that the start fills are public."""

    def __init__(self, app: ASGIApp, router: APIRouter, settings: PlatformSettings, registry: Registry) -> None:
        self.app = app
        self.router = router
        self.settings = settings
        self.registry = registry
        self.log = get_logger("fastapi_services_platform.access")
        self.index: RouteIndex | None = None
        self.admission: Admission | None = None
        self.problem_page: ProblemPage | None = None
        self.observers: tuple[Observer, ...] = ()
        self.handlers: tuple[dict[Any, Any], dict[int, Any]] = (
            {},
            {},
        )  # Any: exception class → handler, as Starlette keeps them
        self._hosts = Hosts(settings)
        self._proxies = Proxies(settings.trusted_proxies)
        self._strict = strict_headers(https=settings.https)
        self._strict_names = {name for name, _ in self._strict}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request or WebSocket handshake."""
        begun = perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        exchange = Exchange(self, scope, accept(headers.get(HEADER) or headers.get(ALTERNATIVE)))
        scope["app"] = self.app
        scope[SCOPE_KEY] = exchange
        correlation_id.set(exchange.correlation_id)
        current.set(exchange)
        outgoing = _Outgoing(exchange, send, self._strict)
        try:
            async with asyncio.timeout(self.settings.request_timeout) as limit:
                outgoing.limit = limit
                await self._answer(exchange, scope, headers, receive, outgoing)
        except Exception as error:
            await self._fail(exchange, error, receive, outgoing)
        finally:
            if exchange.services is not None:
                await self._close(exchange)
            self._observe(exchange, perf_counter() - begun)

    async def _answer(
        self, exchange: Exchange, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: "_Outgoing"
    ) -> None:
        problem = self._door_problem(scope, headers)
        index = self.index
        if problem is not None or index is None or self.admission is None:
            await self._refuse(exchange, problem or _STARTING, receive, send)
            return
        found = index.find(scope["type"], scope.get("method", ""), scope["path"])
        if found is None:
            await self._nowhere(exchange, index, receive, send)
            return
        entry = found.entry
        exchange.entry = entry
        if found.allowed:
            allow = ", ".join(sorted(found.allowed))
            refusal = Problem(
                405, "method-not-allowed", "Method Not Allowed", f"Allowed here: {allow}.", headers={"allow": allow}
            )
            await self._refuse(exchange, refusal, receive, send)
            return
        limit = entry.max_body_bytes or self.settings.max_body_bytes
        too_long = length_problem(headers.get(b"content-length"), limit)
        if too_long is not None:
            await self._refuse(exchange, too_long, receive, send)
            return
        if b"content-length" in headers or b"transfer-encoding" in headers:
            receive = LimitedBody(receive, limit)
        verdict, receive = await self.admission.judge(exchange, entry, headers, receive)
        if verdict is not None:
            await self._refuse(exchange, verdict, receive, send)
            return
        await self._run(scope, found, receive, send)

    def _door_problem(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        problem = header_problem(scope["headers"], self.settings.max_header_bytes, self.settings.max_header_count)
        if problem is not None:
            return problem
        if not self._hosts.accepts(headers.get(b"host")):
            return Problem(400, "unknown-host", "Unknown host", "The platform does not answer for this host name.")
        self._proxies.apply(scope, headers)
        return None

    async def _run(self, scope: Scope, found: Found, receive: Receive, send: Send) -> None:
        entry = found.entry
        params = dict(found.path_params)
        scope.update(entry.scope_update)
        if entry.kind == "mount":
            enter_mount(scope, params)
        scope["path_params"] = params
        stack = prepare_scope(scope, self.router, self.handlers)
        try:
            await entry.app(scope, receive, send)
        finally:
            await stack.aclose()

    async def _nowhere(self, exchange: Exchange, index: RouteIndex, receive: Receive, send: "_Outgoing") -> None:
        scope = exchange.scope
        other = index.redirect_of(scope["path"]) if scope["type"] == "http" else None
        if other is None or other.startswith("//"):
            missing = Problem(404, "not-found", "Not Found", "There is nothing under this address.")
            await self._refuse(exchange, missing, receive, send)
            return
        redirect_scope = {**scope, "path": other}
        url = HTTPConnection(redirect_scope).url
        await Response(status_code=307, headers={"location": str(url)})(scope, receive, send)

    async def _refuse(self, exchange: Exchange, problem: Problem, receive: Receive, send: "_Outgoing") -> None:
        exchange.status = problem.status
        if exchange.scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": problem.slug})
            return
        response = await respond(exchange, problem)
        await response(exchange.scope, receive, send)

    async def _fail(self, exchange: Exchange, error: Exception, receive: Receive, send: "_Outgoing") -> None:
        expired = send.limit is not None and send.limit.expired()
        send.limit = None
        if isinstance(error, ProblemRaised):
            problem = error.problem
        elif isinstance(error, TimeoutError) and expired:
            detail = f"The answer was not ready within {self.settings.request_timeout:g} s."
            problem = Problem(504, "request-timeout", "The request took too long", detail)
        else:
            self.log.error(
                "request.failed", exc_info=error, route=exchange.entry.path if exchange.entry else _UNMATCHED
            )
            detail = "The error is logged under the correlation id."
            problem = Problem(500, "internal-error", "Something went wrong here", detail)
        if exchange.started or exchange.scope["type"] != "http":
            exchange.status = 500
            raise error
        await self._refuse(exchange, problem, receive, send)

    async def _close(self, exchange: Exchange) -> None:
        try:
            if exchange.services is not None:
                await exchange.services.close()
        except Exception as error:
            self.log.error("request.cleanup_failed", error=repr(error))

    def _observe(self, exchange: Exchange, seconds: float) -> None:
        scope = exchange.scope
        route = exchange.entry.path if exchange.entry is not None else _UNMATCHED
        method = scope.get("method", "WEBSOCKET")
        for observe in self.observers:
            observe(method, route, exchange.status, seconds)
        self.log.info(
            "request",
            method=method,
            path=scope["path"],
            status=exchange.status or "gone",
            ms=round(seconds * 1000, 2),
        )


class _Outgoing:
    """``send`` that adds the strict headers and the id, notes the status, and ends the time limit when an answer
    starts.
    """

    __slots__ = ("_exchange", "_send", "_strict", "limit")

    def __init__(self, exchange: Exchange, send: Send, strict: tuple[tuple[bytes, bytes], ...]) -> None:
        self._exchange = exchange
        self._send = send
        self._strict = strict
        self.limit: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            exchange = self._exchange
            exchange.started = True
            exchange.status = message["status"]
            headers = list(message.get("headers", ()))
            own = {name for name, _ in headers if name in OVERRIDABLE}
            headers += [pair for pair in self._strict if pair[0] not in own] if own else self._strict
            headers.append((HEADER, exchange.correlation_id.encode("ascii")))
            message = {**message, "headers": headers}
            if self.limit is not None:
                self.limit.reschedule(None)
        elif kind == "websocket.accept":
            self._exchange.started = True
            self._exchange.status = 101
            if self.limit is not None:
                self.limit.reschedule(None)
        await self._send(message)
