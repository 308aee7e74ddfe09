"""Every outbound client of the platform, by name; one object per app, closed with it.

A capability opens its upstream with what it knows; ``upstreams`` in ``router_factory_settings.yaml`` has the last word.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi_services_platform.capability.contribution import Health
from fastapi_services_platform.http.outbound.guarded import GuardedClient, open_guarded_client
from fastapi_services_platform.http.outbound.policy import OutboundPolicy
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from fastapi_services_platform.http.outbound.client import Client


class Clients:
    """Found in the container by its type."""

    def __init__(self, configured: Mapping[str, Mapping[str, object]] | None = None, allow: Sequence[str] = ()) -> None:
        self.configured = configured or {}
        self._allow = tuple(allow)
        self._clients: dict[str, Client] = {}
        self._guarded: dict[str, GuardedClient] = {}

    def open(self, name: str, settings: ClientSettings | None = None) -> "Client":
        """The client of an upstream; the same object for the same name, whatever the later settings."""
        if name not in self._clients:
            from fastapi_services_platform.http.outbound.client import Client

            # The file was validated against the fields of ClientSettings.
            wanted = replace(settings or ClientSettings(), **self.configured.get(name, {}))  # type: ignore[arg-type]
            self._clients[name] = Client(name, wanted)
        return self._clients[name]

    def guarded(self, name: str, policy: OutboundPolicy | None = None) -> GuardedClient:
        """The guarded client for one purpose; ``FSP_OUTBOUND_ALLOW`` is added to the policy's own exceptions."""
        if name not in self._guarded:
            own = policy or OutboundPolicy()
            self._guarded[name] = open_guarded_client(replace(own, allow=(*own.allow, *self._allow)))
        return self._guarded[name]

    def all(self) -> "tuple[Client, ...]":
        """Every client of a known upstream that was opened."""
        return tuple(self._clients.values())

    def breakers(self) -> dict[str, CircuitBreaker]:
        """Every breaker by name; those of a guarded client are called ``<purpose>/<host>``."""
        found = {name: client.breaker for name, client in self._clients.items()}
        for name, guarded in self._guarded.items():
            found.update({f"{name}/{breaker.name}": breaker for breaker in guarded.breakers})
        return found

    async def health(self) -> dict[str, Health]:
        """Each upstream as its breaker knows it."""
        answers = await asyncio.gather(*(client.check() for client in self._clients.values()))
        return dict(zip(self._clients, answers, strict=True))

    async def close(self) -> None:
        """Close every pool."""
        for client in self._clients.values():
            await client.close()
        for guarded in self._guarded.values():
            await guarded.close()
        self._clients.clear()
        self._guarded.clear()
