"""Attack 41: malformed headers, ids and bodies on every operation, over a plain socket."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from tests.attacks.running_platform import RunningPlatform

HEADERS = [
    b"authorization: Bearer",
    b"authorization: Bearer \xff\xfe\xfd",
    b"authorization: Bearer " + b"x" * 20_000,
    b"authorization: Bearer a.b.c\r\nauthorization: Bearer d.e.f",
    b"authorization: Digest username=root",
    b"authorization: Basic !!!",
    b"x-api-key: au_live_",
    b"x-api-key: \xc3\x28",
    b"cookie: identity_session=\x80\x81; identity_session=x",
    b"if-match: not-a-tag",
    b'if-none-match: "',
    b"accept: ;;;,\xff",
    b"content-type: application/json; charset=nonsense",
    b"content-length: -1",
    b"range: bytes=9-1,,-",
    b"x-forwarded-for: ,,,",
]
IDS = [
    "not-an-id",
    "%00",
    "%ff%fe",
    "..%2f..%2fetc%2fpasswd",
    "urn:au:user:",
    "🦆",
    "0" * 3000,
    "'; DROP TABLE subjects; --",
]


def paths(admin: httpx.Client) -> list[tuple[str, str]]:
    """Every documented operation."""
    document = admin.get("/openapi.json").json()
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


def raw(url: str, request: bytes) -> int:
    """The status of the answer to bytes; 0 when the connection was closed without one."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        answer = connection.recv(64)
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("header", HEADERS)
def test_malformed_headers_are_never_an_error_of_the_server(
    platform: RunningPlatform, admin: httpx.Client, header: bytes
) -> None:
    """On every operation: a refusal, never a 5xx."""
    for method, path in paths(admin):
        target = re.sub(r"{[^}]+}", "x", path)
        head = f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n".encode()
        status = raw(platform.url, head + header + b"\r\n\r\n")
        assert status < 500, (method, path, header)


def test_malformed_ids_are_never_an_error_of_the_server(admin: httpx.Client) -> None:
    """In every path parameter, for somebody who may do everything."""
    skipped = re.compile(r"^/storage|^/blobs")  # keys there may be almost anything; storage has tests of its own
    for method, path in paths(admin):
        if "{" not in path or skipped.match(path) or method not in ("GET", "HEAD"):
            continue
        for value in IDS:
            status = admin.request(method, re.sub(r"{[^}]+}", value, path)).status_code
            assert status < 500, (method, path, value)


@pytest.mark.parametrize(
    "body", [b"{", b'{"a":1,"a":2}', b"[" * 5000, b'{"email":1e999}', b'"\\ud800"', b"\xff\xfe", b"null", b""]
)
def test_malformed_bodies_are_never_an_error_of_the_server(
    platform: RunningPlatform, admin: httpx.Client, body: bytes
) -> None:
    """On every operation that anybody may call."""
    document = admin.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "requestBody" in operation and operation["x-permission"] == "public":
                answer = httpx.request(
                    method, f"{platform.url}{path}", content=body, headers={"content-type": "application/json"}
                )
                assert answer.status_code < 500, (method, path, body)
                assert answer.status_code >= 400, (method, path, body)
