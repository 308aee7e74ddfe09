"""TLS-only directory connections: the certificate is verified, StartTLS never goes on in clear, referrals stay put."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from au_sys_identity.adapters.ldap import messages
from au_sys_identity.adapters.ldap.ber import Malformed, size_of
from au_sys_identity.adapters.ldap.messages import Answer, Raw
from au_sys_identity.core.directories.models import Directory
from fastapi_services_platform import blocking

_LARGEST = 8 * 1024 * 1024
_GOODBYE_SECONDS = 0.25
_PORTS = {"ldaps": 636, "ldap": 389}


class Refused(Exception):
    """The server does not do what was asked; ``code`` is its result code (RFC 4511 §4.1.9)."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"LDAP result code {code}")


class _Wire(asyncio.Protocol):
    """Bytes of the server, cut into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.closed = asyncio.Event()
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        self._news.set()

    @property
    def idle(self) -> bool:
        """Whether the server has said nothing that was not read."""
        return not self._buffer

    async def message(self) -> bytes:
        """The next message.

        Raises:
            Malformed: it is too large, or none.
            ConnectionError: the server hung up.
        """
        while True:
            size = size_of(self._buffer, _LARGEST)
            if size is not None and len(self._buffer) >= size:
                data = bytes(self._buffer[:size])
                del self._buffer[:size]
                return data
            if self.closed.is_set():
                raise ConnectionError("closed")
            self._news.clear()
            await self._news.wait()


class Connection:
    """One conversation, one request at a time."""

    def __init__(self, transport: asyncio.Transport, wire: _Wire) -> None:
        self._transport = transport
        self._wire = wire
        self._last = 0

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on encrypted.

        Raises:
            Refused: the server does not.
            Malformed: it sent something before the encryption began.
        """
        self._transport.write(messages.start_tls(self._next()))
        found = await self._answer(messages.EXTENDED_ANSWER)
        if found.code != messages.SUCCESS:
            raise Refused(found.code)
        if not self._wire.idle:
            raise Malformed("bytes before TLS")
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self._transport, self._wire, context, server_hostname=host)
        if secured is None:
            raise ConnectionError("no TLS")
        self._transport = secured

    async def bind(self, name: str, password: str) -> None:
        """Prove who we are; an empty password, which would be no proof, is not sent.

        Raises:
            Refused: the server does not take it.
        """
        if not name or not password:
            raise Refused(messages.INVALID_CREDENTIALS)
        self._transport.write(messages.bind(self._next(), name, password))
        found = await self._answer(messages.BIND_ANSWER)
        if found.code != messages.SUCCESS:
            raise Refused(found.code)

    async def search(self, base: str, wanted: bytes, attributes: tuple[str, ...], *, most: int) -> list[Raw]:
        """At most so many entries of a subtree.

        Raises:
            Refused: the server does not search.
        """
        found, _cookie = await self._entries(base, wanted, attributes, most, None)
        return found

    async def pages(
        self, base: str, wanted: bytes, attributes: tuple[str, ...], *, size: int
    ) -> AsyncIterator[list[Raw]]:
        """All entries of a subtree, page by page (RFC 2696).

        Raises:
            Refused: the server does not search, or not to the end.
        """
        cookie = b""
        while True:
            found, cookie = await self._entries(base, wanted, attributes, 0, (size, cookie))
            yield found
            if not cookie:
                return

    async def close(self) -> None:
        """Say goodbye, and hang up if the server does not within a moment."""
        self._transport.write(messages.unbind(self._next()))
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._wire.closed.wait()
        self.abort()

    def abort(self) -> None:
        """Hang up."""
        self._transport.abort()

    async def _entries(
        self, base: str, wanted: bytes, attributes: tuple[str, ...], most: int, page: tuple[int, bytes] | None
    ) -> tuple[list[Raw], bytes]:
        self._transport.write(messages.search(self._next(), base, wanted, attributes, most=most, page=page))
        found: list[Raw] = []
        while True:
            said = await self._answer(messages.ENTRY, messages.REFERENCE, messages.DONE)
            if said.entry is not None:
                found.append(said.entry)
            if said.tag != messages.DONE:
                continue
            if said.code == messages.SUCCESS or (most and said.code == messages.SIZE_LIMIT):
                return found, said.cookie
            raise Refused(said.code)

    async def _answer(self, *tags: int) -> Answer:
        found = messages.answer(await self._wire.message())
        if found.id != self._last or found.tag not in tags:
            raise Malformed("answer")
        return found

    def _next(self) -> int:
        self._last += 1
        return self._last


@asynccontextmanager
async def connected(directory: Directory, server: str) -> AsyncIterator[Connection]:
    """An encrypted connection to one server of a directory; how long it may take is the caller's to say.

    Raises:
        OSError: no connection, or TLS fails.
        Refused, Malformed: the server does not start TLS.
    """
    parts = urlsplit(server)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = await blocking(_context, directory.certificates)
    at_once = parts.scheme == "ldaps"
    transport, wire = await asyncio.get_running_loop().create_connection(
        _Wire, host, port, ssl=context if at_once else None, server_hostname=host if at_once else None
    )
    connection = Connection(transport, wire)
    try:
        if not at_once:
            await connection.start_tls(context, host)
        yield connection
    except BaseException:
        connection.abort()
        raise
    await connection.close()


_contexts: dict[tuple[str, float], ssl.SSLContext] = {}


def _context(certificates: str) -> ssl.SSLContext:
    """TLS 1.2 or later with the authorities of the machine, or with those of a file and no others."""
    key = (certificates, os.stat(certificates).st_mtime if certificates else 0.0)
    if key not in _contexts:
        made = ssl.create_default_context(cafile=certificates or None)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        _contexts.clear()
        _contexts[key] = made
    return _contexts[key]
