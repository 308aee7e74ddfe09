"""Ask a shell over HTTP, with nothing but the standard library: the supervisor stays small."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

Json = Any  # Any: a document of another process; whoever reads it says what it expects
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def answers(host: str, port: int, path: str, *, seconds: float = 2.0) -> bool:
    """Whether a GET is answered with 200 in time."""
    try:
        async with asyncio.timeout(seconds):
            return await _status(host, port, path, seconds) == 200
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        return False


async def _status(host: str, port: int, path: str, seconds: float) -> int:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(target, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {target}:{port}\r\nConnection: close\r\n\r\n".encode("ascii"))
        await writer.drain()
        return int((await reader.readline()).split()[1:2][0] or b"0")
    except IndexError:
        return 0
    finally:
        writer.close()


def fetch_json(url: str, *, seconds: float = 5.0) -> tuple[int, Json]:
    """Status and JSON body of a GET, never through a proxy.

    Status 0 when nobody answers, body ``None`` when it is not JSON.
    """
    try:
        with _NO_PROXY.open(url, timeout=seconds) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except (OSError, ValueError):
        return 0, None
    try:
        return status, json.loads(body)
    except ValueError:
        return status, None
