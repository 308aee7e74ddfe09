"""What the platform knows about the request being answered."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.types import Scope

from fastapi_services_platform.security.principal import Principal

if TYPE_CHECKING:
    from fastapi_services_platform.container.scope import Scope as ServiceScope
    from fastapi_services_platform.http.edge import Edge
    from fastapi_services_platform.http.routing import RouteEntry

SCOPE_KEY = "fsp.exchange"


class Exchange:
    """One request: its id, its route, who asks, and the services that live as long as it does."""

    __slots__ = ("correlation_id", "edge", "entry", "principal", "scope", "services", "started", "status")

    def __init__(self, edge: "Edge", scope: Scope, correlation_id: str) -> None:
        self.edge = edge
        self.scope = scope
        self.correlation_id = correlation_id
        self.entry: RouteEntry | None = None
        self.principal: Principal | None = None
        self.services: ServiceScope | None = None
        self.status = 0
        self.started = False

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


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request.

    Raises:
        LookupError: the application does not run inside the platform.
    """
    found = scope.get(SCOPE_KEY)
    if not isinstance(found, Exchange):
        raise LookupError("this request did not come through the platform; build the app with create_app")
    return found
