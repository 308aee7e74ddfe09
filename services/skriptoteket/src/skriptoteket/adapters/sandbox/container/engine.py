"""A small client of a container engine's API: Docker's and Podman's speak the same HTTP/1.1 on a Unix socket.

One connection for each call, and the connection is the only thing to close: an answer is JSON, a stream that lasts as
long as a container, or an archive that is read with a cap and hung up on.

Source: https://docs.docker.com/engine/api/v1.40/ (Docker 19.03 and later, Podman's compatible API).
"""

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

_VERSION = "/v1.40"
_CALL_SECONDS = 30.0
_HEAD_BYTES = 64 * 1024
_ANSWER_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024

Json = Any  # what json.loads gives: the engine's answers are read field by field


class EngineProblem(Exception):
    """The engine could not be reached, or refused; ``status`` is 0 when there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(f"the container engine answered {status}: {message}" if status else message)


class Engine:
    """Calls to one engine. ``url`` is ``unix:///path/to/socket``."""

    def __init__(self, url: str) -> None:
        scheme, _, path = url.partition("://")
        if scheme != "unix" or not path.startswith("/"):
            raise ValueError(f"container_url: {url!r} is no unix:///path/of/socket")
        self.path = path

    async def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        seconds: float | None = _CALL_SECONDS,
    ) -> Json:
        """One request with a JSON answer, ``None`` when the answer is empty.

        Raises:
            EngineProblem: the engine is not there, refused, or took longer than ``seconds``.
        """
        content = b"" if body is None else json.dumps(body).encode()
        try:
            async with asyncio.timeout(seconds), self._request(method, path, query, content) as reader:
                return _parsed(await reader.all())
        except TimeoutError:
            raise EngineProblem(0, f"the container engine did not answer {method} {path} in time") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as problem:
            raise EngineProblem(0, f"no container engine answers on {self.path}: {problem}") from problem

    async def upload(
        self, method: str, path: str, query: Mapping[str, str], chunks: AsyncIterable[bytes], seconds: float
    ) -> bytes:
        """Send a tar archive; the answer is the engine's words.

        Raises:
            EngineProblem: as for :meth:`call`.
        """
        try:
            async with asyncio.timeout(seconds), self._request(method, path, query, chunks) as reader:
                return await reader.all()
        except TimeoutError:
            raise EngineProblem(0, f"the container engine did not take {path} in time") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as problem:
            raise EngineProblem(0, f"no container engine answers on {self.path}: {problem}") from problem

    @asynccontextmanager
    async def stream(self, method: str, path: str, query: Mapping[str, str]) -> "AsyncIterator[Answer]":
        """An answer that is read while it comes; leaving hangs up."""
        async with self._request(method, path, query, b"") as reader:
            yield reader

    def download(self, path: str, query: Mapping[str, str], seconds: float) -> "Download":
        """An archive as a file to read from. Blocks; ``seconds`` is the longest silence."""
        connection = _UnixConnection(self.path, seconds)
        try:
            connection.request("GET", _target(path, query), headers={"Host": "engine"})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise EngineProblem(answer.status, _message(answer.read(_HEAD_BYTES)))
        except BaseException as problem:
            connection.close()
            if isinstance(problem, OSError | http.client.HTTPException):
                raise EngineProblem(0, f"no container engine answers on {self.path}: {problem}") from problem
            raise
        return Download(connection, answer)

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | AsyncIterable[bytes]
    ) -> "AsyncIterator[Answer]":
        reader, writer = await asyncio.open_unix_connection(self.path, limit=_HEAD_BYTES)
        try:
            sized = isinstance(content, bytes)
            length = f"Content-Length: {len(content)}" if isinstance(content, bytes) else "Transfer-Encoding: chunked"
            kind = "application/json" if sized else "application/x-tar"
            head = (
                f"{method} {_target(path, query)} HTTP/1.1\r\nHost: engine\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
            )
            writer.write(head.encode() + (content if isinstance(content, bytes) else b""))
            # Whoever refuses says so and hangs up before everything was sent: then the answer is there to be read.
            with contextlib.suppress(ConnectionError):
                if not isinstance(content, bytes):
                    async for chunk in content:
                        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b"")
                        await writer.drain()
                    writer.write(b"0\r\n\r\n")
                await writer.drain()
            answer = Answer(reader)
            await answer.begin()
            yield answer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class Answer:
    """The engine's answer on its way."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._left: int | None = None
        self._chunked = False

    async def begin(self) -> None:
        """Read status and headers.

        Raises:
            EngineProblem: the status says that it was refused.
        """
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        self._chunked = "chunked" in headers.get("transfer-encoding", "")
        if "content-length" in headers:
            self._left = int(headers["content-length"])
        if status in (204, 304):
            self._left = 0
        if status >= 400:
            raise EngineProblem(status, _message(await self.all()))

    async def read(self, most: int = _CHUNK) -> bytes:
        """The next bytes, empty at the end."""
        if self._chunked:
            return await self._read_chunk()
        if self._left is None:
            return await self._reader.read(most)
        found = await self._reader.read(min(most, self._left)) if self._left else b""
        self._left -= len(found)
        return found

    async def exactly(self, size: int) -> bytes:
        """Bytes of a stream that has no framing of HTTP's own.

        Raises:
            asyncio.IncompleteReadError: it ended before.
        """
        return await self._reader.readexactly(size)

    async def all(self) -> bytes:
        """The whole answer, at most 16 MiB of it."""
        found = bytearray()
        while chunk := await self.read():
            found += chunk
            if len(found) > _ANSWER_BYTES:
                raise EngineProblem(0, "the container engine's answer is too long")
        return bytes(found)

    async def _read_chunk(self) -> bytes:
        size = int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16)
        found = await self._reader.readexactly(size + 2)
        return found[:-2]


class Download:
    """An archive that is being read; closing hangs up, whatever is still to come."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, empty at the end. Blocks."""
        return self._answer.read(size)

    def close(self) -> None:
        """Hang up."""
        self._answer.close()
        self._connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("engine", timeout=seconds)
        self._path = path
        self._seconds = seconds

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._seconds)
        self.sock.connect(self._path)


def _target(path: str, query: Mapping[str, str] | None) -> str:
    return f"{_VERSION}{quote(path)}{'?' + urlencode(query) if query else ''}"


def _parsed(raw: bytes) -> Json:
    return json.loads(raw) if raw.strip() else None


def _message(raw: bytes) -> str:
    with contextlib.suppress(ValueError):
        found = json.loads(raw)
        if isinstance(found, dict):
            return str(found.get("message") or found.get("cause") or found)[:2000]
    return raw[:2000].decode(errors="replace").strip()
