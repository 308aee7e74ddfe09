"""Connections to addresses that were judged: the name is looked up here, once, and never again by the socket."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore2

from fastapi_services_platform.http.outbound.policy import AddressRules, OutboundRefused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses."""


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, each address once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedNetwork(httpcore2.AsyncNetworkBackend):
    """Resolves a host, refuses it when *one* of its addresses is refused, and connects to an address, not to the name.

    TLS is started by the pool with the host name, so the certificate is checked against the name all the same.
    """

    def __init__(self, rules: AddressRules, ports: Iterable[int], resolve: Resolve = system_addresses) -> None:
        self._rules = rules
        self._ports = frozenset(ports)
        self._resolve = resolve
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: httpcore2's own signature
    ) -> httpcore2.AsyncNetworkStream:
        """A stream to the first address that takes the connection.

        Raises:
            OutboundRefused: the port or an address is not permitted.
        """
        addresses = await self._addresses(host, port)
        for address in addresses:
            if not self._rules.permits(host, address):
                raise OutboundRefused(
                    host, "address", "it stands for an address that is not public", "allow the network by setting."
                )
        listed = self._rules.is_named(host) or all(self._rules.is_listed(address) for address in addresses)
        if port not in self._ports and not listed:
            permitted = ", ".join(str(number) for number in sorted(self._ports))
            raise OutboundRefused(host, "port", f"port {port} is not permitted", f"use one of {permitted}.")
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own signature
        socket_options: Iterable[Any] | None = None,  # Any: httpcore2's own signature
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise OutboundRefused("", "address", "sockets of this machine are not called", "name a host.")

    async def sleep(self, seconds: float) -> None:
        """Between the pool's own attempts."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("the name is not known") from error
