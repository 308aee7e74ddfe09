"""What the platform knows about the request being answered."""

import asyncio
from collections.abc import Collection
from contextvars import ContextVar
from math import inf
from secrets import token_urlsafe
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import Message, Scope, Send

from fastapi_services_platform.http.door.security_headers import OVERRIDABLE, with_nonce
from fastapi_services_platform.observability.tracing.spans import Trace
from fastapi_services_platform.security.principal import Principal

if TYPE_CHECKING:
    from fastapi_services_platform.container.scope import Scope as ServiceScope
    from fastapi_services_platform.http.edge import Edge
    from fastapi_services_platform.http.routing import RouteEntry

SCOPE_KEY = "fsp.exchange"

_ID = b"x-correlation-id"
_FEWEST_SWEEPS = 0.25


class Exchange:
    """One request: its id, its route, who asks, and the services that live as long as it does.

    Its :meth:`send` is what the endpoint answers through: it adds the strict headers and the id, and notes the status.
    ``extra_headers`` are put on the answer whatever it is. ``touched`` is when it was last heard of: when it began, or
    when a part of its body came.
    """

    __slots__ = (
        "_nonce",
        "begun",
        "correlation_id",
        "deadline",
        "edge",
        "entry",
        "expired",
        "extra_headers",
        "finished",
        "limit",
        "principal",
        "scope",
        "services",
        "started",
        "status",
        "task",
        "touched",
        "trace",
        "transport",
    )

    def __init__(self, edge: "Edge", scope: Scope, transport: Send, correlation_id: str, begun: float) -> None:
        self.edge = edge
        self.scope = scope
        self.transport = transport
        self.correlation_id = correlation_id
        self.begun = begun
        self.entry: RouteEntry | None = None
        self.principal: Principal | None = None
        self.services: ServiceScope | None = None
        self.extra_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.task: asyncio.Task[object] | None = None
        self.status = 0
        self.started = False
        self.expired = False
        self.trace: Trace | None = None
        self._nonce = ""
        self.finished = False
        self.touched = begun
        self.limit = edge.time_limit
        self.deadline = inf

    def overdue_at(self) -> float:
        """When it is given up unless its answer has begun, on the clock of ``begun``."""
        return min(self.touched + self.limit, self.deadline)

    async def send(self, message: Message) -> None:
        """Pass an ASGI message on to the server."""
        kind = message["type"]
        if kind == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            strict = self.edge.strict
            for name, _ in headers:
                if name in OVERRIDABLE:
                    own = {name for name, _ in headers}
                    strict = tuple(pair for pair in strict if pair[0] not in own or pair[0] not in OVERRIDABLE)
                    break
            if self._nonce:
                strict = with_nonce(strict, self._nonce)
            headers.extend(strict)
            headers.append((_ID, self.correlation_id.encode("ascii")))
            headers.extend(self.extra_headers)
            message = {**message, "headers": headers}
        elif kind == "websocket.accept":
            self.started = True
            self.status = 101
        await self.transport(message)

    def nonce(self) -> str:
        """The nonce of inline code in this answer; only an answer that asks for one has it in its policy."""
        if not self._nonce:
            self._nonce = token_urlsafe(16)
        return self._nonce

    def service_scope(self) -> "ServiceScope":
        """The request's service scope, opened on first use."""
        if self.services is None:
            self.services = self.edge.registry.request_scope()
        return self.services

    @property
    def wants_html(self) -> bool:
        """Whether a person's browser asks for a page."""
        for name, value in self.scope["headers"]:
            if name == b"accept":
                return b"text/html" in value
        return False


current: ContextVar[Exchange | None] = ContextVar("fsp_exchange", default=None)


async def give_up_overdue(in_flight: Collection[Exchange], time_limit: float) -> None:
    """Cancel requests whose answer has not begun in time; runs until it is cancelled itself.

    The time is that of the router, counted from the last part of the body, so that a long upload is not cut off
    as long as it moves; a caller's own deadline counts from the beginning.
    """
    pause = min(_FEWEST_SWEEPS, time_limit / 4)
    while True:
        await asyncio.sleep(pause)
        now = perf_counter()
        for exchange in [item for item in in_flight if item.overdue_at() < now]:
            if not exchange.started and not exchange.expired and exchange.task is not None:
                exchange.expired = True
                exchange.task.cancel()


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request.

    Raises:
        LookupError: the application does not run inside the platform.
    """
    found = scope.get(SCOPE_KEY)
    if not isinstance(found, Exchange):
        raise LookupError("this request did not come through the platform; build the app with create_app")
    return found
