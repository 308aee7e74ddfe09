"""The way to the server: one pool of connections, the credential, retries of what is safe, a breaker."""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx

from au_sys_storage_sdk.adapters.http.answers import error_of
from au_sys_storage_sdk.core.errors import InvalidInput, OutcomeUnknown, Unavailable, Unfinished
from fastapi_services_platform import CircuitBreaker, CircuitOpen

T = TypeVar("T")

_ATTEMPTS = 4
_PAUSE = 0.1
_CONNECTIONS = 32
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUT = httpx.Timeout(30.0, connect=10.0, pool=30.0)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``namespace`` and ``key`` are for errors. ``repeatable``: it ends the same however often it is
    carried out.
    """

    method: str
    path: str
    namespace: str = ""
    key: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    repeatable: bool = True


def address(*parts: str) -> str:
    """A path of which no part means more than a name, not even dots."""
    return "".join("/" + quote(part, safe=":").replace(".", "%2E") for part in parts)


def fresh_key() -> str:
    """An ``Idempotency-Key`` of its own for a write, so that it may be repeated."""
    return secrets.token_urlsafe(18)


class Wire:
    """Requests to one server. Over plain HTTP it only talks to this machine."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        ca_file: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.query or parts.fragment or parts.username or parts.password:
            raise InvalidInput("url", "it is more or less than https://host", "give the key as STORAGE_API_KEY")
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise InvalidInput("url", f"plain HTTP to {parts.hostname} can be read on the way", "use https://")
        self.host = parts.hostname
        self._sleep = sleep
        self._breaker = CircuitBreaker(f"storage:{parts.netloc}", is_failure=_is_failure)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={} if api_key is None else {"X-API-Key": api_key},
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            verify=_trust(ca_file),
            follow_redirects=False,
        )

    async def send(self, call: Call) -> httpx.Response:
        """The whole answer.

        Raises:
            StorageError: what the server answered.
            OutcomeUnknown: a write that may not be repeated was lost on the way.
        """
        return await self.again(lambda: self.once(call), repeatable=call.repeatable)

    async def again(self, work: Callable[[], Awaitable[T]], *, repeatable: bool) -> T:
        """Do work, and again with growing pauses when the server is not there or asks to come back."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return await work()
            except (Unavailable, Unfinished) as error:
                if isinstance(error, OutcomeUnknown) and not repeatable:
                    raise
                await self.pause(attempt, error.retry_after if isinstance(error, Unavailable) else _PAUSE)
        return await work()

    async def pause(self, attempt: int, wanted: float) -> None:
        """Wait before the next try, longer each time and never in step with others."""
        longest = min(wanted, _PAUSE * 4**attempt)
        await self._sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret

    async def once(self, call: Call) -> httpx.Response:
        """The whole answer, at the first try. Raises as :meth:`send`."""
        async with self.stream(call) as response:
            await response.aread()
        return response

    @asynccontextmanager
    async def stream(self, call: Call, *, patient: bool = False) -> AsyncIterator[httpx.Response]:
        """An answer whose body is still to come. ``patient``: it may be silent for long. Raises as :meth:`send`."""
        request = self._client.build_request(
            call.method, call.path, params=dict(call.params), headers=dict(call.headers), content=call.content
        )
        if patient:
            request.extensions["timeout"] = {"connect": 10.0, "pool": 30.0, "write": 30.0, "read": 60.0}
        with self._translated(call):
            with self._breaker.guard():
                response = await self._client.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    await response.aread()
                    raise error_of(response, call.namespace, call.key)
                yield response
            finally:
                await response.aclose()

    def _translated(self, call: Call) -> _Translated:
        return _Translated(self.host, unknown=call.method not in {"GET", "HEAD"})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _Translated:
    """Raises storage errors for what goes wrong on the way."""

    def __init__(self, host: str, *, unknown: bool) -> None:
        self._host = host
        self._unknown = unknown

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CircuitOpen):
            raise Unavailable(f"{self._host} has not answered of late", retry_after=error.retry_after) from error
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            raise Unavailable(f"{self._host} cannot be reached ({type(error).__name__})") from error
        if isinstance(error, httpx.TransportError):
            reason = f"{self._host} broke off ({type(error).__name__})"
            raise OutcomeUnknown(reason) if self._unknown else Unavailable(reason) from error


def _is_failure(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.PoolTimeout)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        raise InvalidInput("STORAGE_CA_FILE", f"{ca_file}: {error}", "name a file of PEM certificates") from error
