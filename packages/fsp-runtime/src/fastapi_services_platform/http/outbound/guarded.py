"""A client for addresses that users and administrators supply; it protects the network that the platform stands in.

Server-side request forgery (OWASP A10:2021) is refused at the socket: every connection, also that of a redirect, is
made to an address that was judged. No proxy of the environment, no cookies, no compressed answers. httpx2 is imported
with the first call.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from fastapi_services_platform.http.outbound.policy import AddressRules, OutboundFailed, OutboundPolicy, OutboundRefused
from fastapi_services_platform.observability.tracing.spans import span
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker, CircuitOpen

if TYPE_CHECKING:
    import httpcore2
    import httpx2

    from fastapi_services_platform.http.outbound.pinned import Resolve

_HOPS = frozenset({301, 302, 303, 307, 308})
_SICK = frozenset({502, 503, 504})
_READS = frozenset({"GET", "HEAD"})
_GOES_ANYWHERE = frozenset({"accept", "accept-encoding", "user-agent"})
_MOST_HOSTS = 256
_IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GuardedAnswer:
    """Status, headers (names in lower case) and the whole body; ``url`` is where it came from after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:  # Any: whatever the other side wrote
        """The body read as JSON.

        Raises:
            ValueError: it is none.
        """
        return orjson.loads(self.body)


class _Sick(Exception):
    """An answer that the breaker counts as a failure."""

    def __init__(self, answer: GuardedAnswer) -> None:
        self.answer = answer


class GuardedClient:
    """Made by :func:`open_guarded_client`; one for each purpose, living as long as the app. A breaker for each host."""

    def __init__(
        self, policy: OutboundPolicy, *, tls: ssl.SSLContext | None = None, resolve: "Resolve | None" = None
    ) -> None:
        self.policy = policy
        self._rules = AddressRules(policy.allow)
        self._tls = tls
        self._resolve = resolve
        self._pool: httpcore2.AsyncConnectionPool | None = None
        self._breakers: OrderedDict[str, CircuitBreaker] = OrderedDict()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> GuardedAnswer:
        """The answer, whatever its status, within the policy's time and size.

        Raises:
            OutboundRefused: the address, a hop or the answer breaks a rule.
            OutboundFailed: there was no answer in time, or the host failed too often and is left alone.
        """
        import httpx2

        try:
            asked = httpx2.Request(
                method, url, headers=dict(headers or {}), params=params, data=dict(form) if form else None, json=json
            )
        except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError):
            raise OutboundRefused("", "url", "it is no URL", "write https://host/path.") from None
        try:
            async with asyncio.timeout(self.policy.total_seconds):
                return await self._follow(asked)
        except TimeoutError:
            raise OutboundFailed(asked.url.host, f"not within {self.policy.total_seconds:g} s") from None

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> GuardedAnswer:
        """``request("GET", …)``."""
        return await self.request("GET", url, headers=headers, params=params)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    @property
    def breakers(self) -> Sequence[CircuitBreaker]:
        """One for each host that was called lately."""
        return tuple(self._breakers.values())

    async def _follow(self, asked: "httpx2.Request") -> GuardedAnswer:
        left = self.policy.redirects
        while True:
            answer = await self._guarded(asked)
            place = answer.headers.get("location", "")
            if answer.status not in _HOPS or not place or not self.policy.redirects or asked.method not in _READS:
                return answer
            if left == 0:
                raise OutboundRefused(asked.url.host, "redirect", "it redirects too often", "name the final address.")
            left -= 1
            asked = _next_hop(asked, place)

    async def _guarded(self, asked: "httpx2.Request") -> GuardedAnswer:
        host = asked.url.host
        self._judge(asked.url)
        try:
            with self._breaker(asked.url.netloc.decode("ascii")).guard():
                with span(f"{asked.method} {host}", "client", {"server.address": host}):
                    answer = await self._exchange(asked)
                if answer.status in _SICK:
                    raise _Sick(answer)
                return answer
        except _Sick as sick:
            return sick.answer
        except CircuitOpen as error:
            raise OutboundFailed(host, f"it failed too often and is left alone for {error.retry_after:.0f} s") from None

    def _judge(self, url: "httpx2.URL") -> None:
        if url.scheme not in self.policy.schemes:
            permitted = " or ".join(self.policy.schemes)
            raise OutboundRefused(url.host, "scheme", f"the scheme is not {permitted}", f"use {permitted}.")
        if url.userinfo:
            raise OutboundRefused(url.host, "userinfo", "it holds a name or a password", "write https://host/path.")
        if not url.host:
            raise OutboundRefused("", "url", "it names no host", "write https://host/path.")

    async def _exchange(self, asked: "httpx2.Request") -> GuardedAnswer:
        import httpcore2

        url = asked.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked.headers["accept-encoding"] = "identity"
        asked.headers.setdefault("accept", "application/json" if self.policy.json_only else "*/*")
        try:
            async with self._open_pool().stream(
                asked.method, target, headers=asked.headers.raw, content=await asked.aread() or None
            ) as response:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                self._judge_answer(url.host, response.status, headers)
                body = await self._read(url.host, response)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
            raise OutboundFailed(url.host, str(error) or type(error).__name__) from error
        return GuardedAnswer(response.status, headers, body, str(url))

    def _judge_answer(self, host: str, status: int, headers: Mapping[str, str]) -> None:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise OutboundRefused(host, "content-encoding", "the answer is compressed", "let it answer uncompressed.")
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self.policy.max_bytes:
            raise _too_large(host, self.policy.max_bytes)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.policy.json_only and status == 200 and kind != "application/json" and not kind.endswith("+json"):
            raise OutboundRefused(host, "content-type", "the answer is not JSON", "let it answer application/json.")

    async def _read(self, host: str, response: "httpcore2.Response") -> bytes:
        parts, size = [], 0
        async for part in response.aiter_stream():
            size += len(part)
            if size > self.policy.max_bytes:
                raise _too_large(host, self.policy.max_bytes)
            parts.append(part)
        return b"".join(parts)

    def _breaker(self, netloc: str) -> CircuitBreaker:
        found = self._breakers.get(netloc)
        if found is None:
            found = CircuitBreaker(netloc, is_failure=_is_hosts_fault)
            self._breakers[netloc] = found
            if len(self._breakers) > _MOST_HOSTS:
                self._breakers.popitem(last=False)
        else:
            self._breakers.move_to_end(netloc)
        return found

    def _open_pool(self) -> "httpcore2.AsyncConnectionPool":
        if self._pool is None:
            import httpcore2

            from fastapi_services_platform.http.outbound.client import shared_tls
            from fastapi_services_platform.http.outbound.pinned import PinnedNetwork, system_addresses

            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls or shared_tls(),
                max_connections=self.policy.connections,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=PinnedNetwork(self._rules, self.policy.ports, self._resolve or system_addresses),
            )
        return self._pool


def open_guarded_client(
    policy: OutboundPolicy | None = None, *, tls: ssl.SSLContext | None = None, resolve: "Resolve | None" = None
) -> GuardedClient:
    """A guarded client; nothing is opened or imported before its first call. Close it at shutdown.

    ``tls`` is for a private certificate authority, ``resolve`` replaces the system's resolver.

    Raises:
        ConfigurationError: an entry of ``allow`` is neither a network nor a host name.
    """
    return GuardedClient(policy or OutboundPolicy(), tls=tls, resolve=resolve)


def _next_hop(asked: "httpx2.Request", place: str) -> "httpx2.Request":
    import httpx2

    try:
        url = asked.url.join(place)
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        raise OutboundRefused(asked.url.host, "redirect", "it redirects to no URL", "name the final address.") from None
    if asked.url.scheme == "https" and url.scheme != "https":
        raise OutboundRefused(url.host, "redirect", "it redirects from https away", "name the final address.")
    same = (url.scheme, url.host, url.port) == (asked.url.scheme, asked.url.host, asked.url.port)
    kept = {name: value for name, value in asked.headers.items() if name != "host" and (same or name in _GOES_ANYWHERE)}
    return httpx2.Request(asked.method, url, headers=kept)


def _too_large(host: str, limit: int) -> OutboundRefused:
    return OutboundRefused(host, "size", f"the answer is larger than {limit} bytes", "let it answer less.")


def _is_hosts_fault(error: Exception) -> bool:
    return isinstance(error, OutboundFailed | _Sick)
