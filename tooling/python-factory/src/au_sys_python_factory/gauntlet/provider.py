"""An outside login provider that a run lends: OAuth 2 on loopback, with one person who always agrees.

Only what the platform calls itself is here, the token and the person; the browser's part is played by rows.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs

ALLOW = "IDENTITY_OUTBOUND_ALLOW"
HOST = "127.0.0.1"
CLIENT = "gauntlet"
_MOST_HEAD = 16_384
_MOST_BODY = 16_384
_WITHIN_SECONDS = 10.0


@dataclass(slots=True)
class LentProvider:
    """What it expects of the platform: a client with its secret, a code with its verifier, then the token."""

    person: str = field(default_factory=lambda: f"gauntlet-{secrets.token_hex(8)}")
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    url: str = ""
    _tokens: set[str] = field(default_factory=set, repr=False)

    def known(self) -> dict[str, str]:
        """What rows may name."""
        return {"provider.url": self.url, "provider.client": CLIENT, "provider.secret": self.client_secret}

    def answer(self, method: str, path: str, authorization: str, body: str) -> tuple[HTTPStatus, Mapping[str, object]]:
        """Status and JSON of one request."""
        if (method, path) == ("POST", "/token"):
            return self._token(authorization, parse_qs(body))
        if (method, path) == ("GET", "/userinfo"):
            if authorization.removeprefix("Bearer ") not in self._tokens:
                return HTTPStatus.UNAUTHORIZED, {"error": "invalid_token"}
            return HTTPStatus.OK, {"sub": self.person, "name": "Gauntlet"}
        return HTTPStatus.NOT_FOUND, {"error": "not_found"}

    def _token(self, authorization: str, form: Mapping[str, list[str]]) -> tuple[HTTPStatus, Mapping[str, object]]:
        pair = base64.b64encode(f"{CLIENT}:{self.client_secret}".encode()).decode()
        if authorization != f"Basic {pair}":
            return HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        if form.get("grant_type") != ["authorization_code"] or not (form.get("code") and form.get("code_verifier")):
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_grant"}
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return HTTPStatus.OK, {"access_token": token, "token_type": "Bearer", "expires_in": 60}


@asynccontextmanager
async def lent_provider() -> AsyncIterator[LentProvider]:
    """Serve one on a free port until the end."""
    provider = LentProvider()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                writer.write(await _answered(provider, reader))
                await writer.drain()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, TimeoutError):
            pass  # whoever asked so gets no answer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, HOST, 0, limit=_MOST_HEAD)
    provider.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.close()
        await server.wait_closed()


async def _answered(provider: LentProvider, reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _version = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length = min(int(headers.get("content-length", "0")), _MOST_BODY)
    body = (await reader.readexactly(length)).decode()
    path = target.partition("?")[0]
    status, document = provider.answer(method, path, headers.get("authorization", ""), body)
    content = json.dumps(document).encode()
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + content
