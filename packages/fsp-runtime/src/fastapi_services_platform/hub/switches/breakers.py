"""Circuit breakers of upstreams: how they stand, and closing one by hand."""

from dataclasses import dataclass

from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.observability.audit import AuditEvent, AuditTrail
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker, State

RESET = "platform.breaker_reset"


class UnknownBreaker(PlatformError):
    """No upstream of this name was called."""

    def __init__(self, name: str) -> None:
        super().__init__(f"breaker: there is no {name!r}.", "use a name of the list of breakers.")


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker as the page shows it. The last four are ``None`` for the host of a guarded client."""

    name: str
    state: State
    seconds_left: float
    opened: int
    calls_remembered: int
    failures_remembered: int
    under_way: int | None
    refused: int | None
    retries: int | None
    calls: dict[str, int] | None


class Breakers:
    """The breakers of this node; what is reset here is reset on all that share them."""

    def __init__(self, clients: Clients, audit: AuditTrail) -> None:
        self._clients = clients
        self._audit = audit

    def all(self) -> list[BreakerView]:
        """Every breaker by name."""
        return [self._view(name, breaker) for name, breaker in sorted(self._clients.breakers().items())]

    async def reset(self, name: str, *, by: str) -> BreakerView:
        """Close a breaker, so that the next call is made.

        Raises:
            UnknownBreaker: there is no such breaker.
        """
        breaker = self._clients.breakers().get(name)
        if breaker is None:
            raise UnknownBreaker(name)
        await self._audit.record(AuditEvent(RESET, by, f"breaker:{name}", details={"before": breaker.state}))
        breaker.reset()
        return self._view(name, breaker)

    def _view(self, name: str, breaker: CircuitBreaker) -> BreakerView:
        client = next((item for item in self._clients.all() if item.breaker is breaker), None)
        calls, failures = breaker.lately
        return BreakerView(
            name=name,
            state=breaker.state,
            seconds_left=round(breaker.seconds_left, 1),
            opened=breaker.opened,
            calls_remembered=calls,
            failures_remembered=failures,
            under_way=client.bulkhead.inside if client else None,
            refused=client.bulkhead.rejected if client else None,
            retries=client.retry.retries if client else None,
            calls=dict(client.calls) if client else None,
        )
