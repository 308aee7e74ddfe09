"""The attack table over real HTTP: never a 500, never open."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from fastapi_services_platform import Permission, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.started_app import settings_for

router = APIRouter()


class Note(BaseModel):
    text: str


@router.get("/open")
@access(public=True)
async def open_route(request: Request, q: str = "") -> dict[str, object]:
    client = request.client
    return {"client": client.host if client else None, "scheme": request.url.scheme, "q": len(q)}


@router.get("/secret/{name}")
@access(permission="demo.note.read")
async def secret(name: str) -> dict[str, str]:
    return {"opened": name}


@router.post("/notes")
@access(permission="demo.note.read")
async def write(note: Note) -> dict[str, int]:
    return {"length": len(note.text)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    from fastapi_services_platform import Contribution, Manifest
    from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

    demo = Prepared(
        Manifest("demo", "1.0", ""),
        Contribution(
            routers=(RouterMount("api", router, Tier.API, "/demo"),),
            permissions=(Permission("demo.note.read", "Read"),),
        ),
    )
    settings = settings_for(
        Path(tmp_path_factory.mktemp("data")),
        trusted_hosts=("platform.test",),
        max_body_bytes=2048,
        max_header_bytes=8192,
        request_timeout=1.0,
        cors_origins=("https://app.example",),
    )
    with serve(create_app(settings, capabilities=[believing_identity(), demo])) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def ask(base: tuple[str, int]) -> Ask:
    def send(raw: bytes, *, finish: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        with socket.create_connection(base, 5) as connection:
            connection.sendall(raw)
            if finish:
                connection.sendall(finish)
            data = b""
            while b"\r\n\r\n" not in data:
                chunk = connection.recv(65536)
                if not chunk:
                    break
                data += chunk
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            while len(body) < int(headers.get("content-length", "0")) and (chunk := connection.recv(65536)):
                body += chunk
            return int(lines[0].split(" ")[1]), headers, body

    return send


def head(path: str, *more: str, method: str = "GET", host: str = "platform.test") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *more, "", ""]).encode("utf-8")


ADA = "Authorization: Bearer ada"
JSON = "Content-Type: application/json"


def test_forwarded_headers_of_strangers_are_ignored(ask: Ask) -> None:
    """Nobody is a trusted proxy, so the address and the scheme stay what they are."""
    spoofed = ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4"]
    _, _, body = ask(head("/demo/open", *spoofed))
    assert b'"client":"127.0.0.1"' in body
    assert b'"scheme":"http"' in body


@pytest.mark.parametrize(
    "host", ["evil.example", "platform.test.evil.example", "platform.test@evil", "", "a b", "x" * 300]
)
def test_foreign_host_names_are_refused(ask: Ask, host: str) -> None:
    """A request for another name is a 400 before anything else happens."""
    assert ask(head("/demo/open", host=host))[0] == 400


def test_an_announced_oversize_body_is_refused_before_it_arrives(ask: Ask) -> None:
    """413 names the limit and comes although no byte of the body was sent."""
    status, _, body = ask(head("/demo/notes", ADA, JSON, "Content-Length: 200000000", method="POST"))
    assert status == 413
    assert b'"limit":2048' in body


def test_a_chunked_oversize_body_is_cut_off(ask: Ask) -> None:
    """Without an announced length the bytes are counted."""
    raw = head("/demo/notes", ADA, JSON, "Transfer-Encoding: chunked", method="POST")
    status, _, _ = ask(raw, finish=b"1000\r\n" + b"x" * 4096 + b"\r\n0\r\n\r\n")
    assert status == 413


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "99999999999999999999999"])
def test_a_length_that_is_no_number_is_refused(ask: Ask, length: str) -> None:
    """Client errors, never a server error."""
    assert ask(head("/demo/notes", ADA, JSON, f"Content-Length: {length}", method="POST"))[0] in (400, 413)


def test_a_body_that_never_comes_is_given_up(ask: Ask) -> None:
    """A slow body ends in the time limit."""
    status, _, _ = ask(head("/demo/notes", ADA, JSON, "Content-Length: 100", method="POST"), finish=b'{"text"')
    assert status == 504


def test_header_bombs_are_refused(ask: Ask) -> None:
    """Too many and too large headers are client errors."""
    many = [f"X-{number}: 1" for number in range(200)]
    assert ask(head("/demo/open", *many))[0] == 431
    assert ask(head("/demo/open", "X-Large: " + "a" * 10_000))[0] == 431


def test_a_head_without_end_is_cut_off(base: tuple[str, int]) -> None:
    """Megabytes of one header line end in 431 and a closed connection, long before they are all taken in."""
    with socket.socket() as connection:
        connection.settimeout(10)
        connection.connect(base)
        connection.sendall(b"GET /demo/open HTTP/1.1\r\nHost: platform.test\r\nX-Endless: ")
        answer = b""
        try:
            for _ in range(400):
                connection.sendall(b"a" * 65_536)
            answer = connection.recv(4096)
        except OSError:  # closed while we were sending
            return
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""


@pytest.mark.parametrize("name", ["Host: platform.test", "Authorization: Bearer eve", "Origin: https://platform.test"])
def test_repeated_headers_that_decide_are_refused(ask: Ask, name: str) -> None:
    """Two answers to one question are none."""
    status, _, _ = ask(head("/demo/secret/x", ADA, "Origin: http://platform.test", name))
    assert status == 400


def test_a_compressed_body_is_not_unpacked(ask: Ask) -> None:
    """There is no decompression that a bomb could use."""
    import gzip

    bomb = gzip.compress(b"0" * 1_000_000)
    raw = head("/demo/notes", ADA, JSON, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}", method="POST")
    assert ask(raw, finish=bomb)[0] in (400, 415, 422)


def test_other_origins_are_not_reflected(ask: Ask) -> None:
    """A foreign origin gets no permission; the configured one gets it without credentials."""
    _, foreign, _ = ask(head("/demo/open", "Origin: https://evil.example"))
    _, own, _ = ask(head("/demo/open", "Origin: https://app.example"))
    assert "access-control-allow-origin" not in foreign
    assert own["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in own


def test_a_preflight_of_the_configured_origin_is_answered(ask: Ask) -> None:
    """204 with methods and headers; a foreign one goes the way of any OPTIONS request."""
    wanted = ["Access-Control-Request-Method: POST"]
    status, headers, _ = ask(head("/demo/notes", "Origin: https://app.example", *wanted, method="OPTIONS"))
    foreign, _, _ = ask(head("/demo/notes", "Origin: https://evil.example", *wanted, method="OPTIONS"))
    assert (status, "POST" in headers["access-control-allow-methods"], foreign) == (204, True, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/demo/open/../secret/x",
        "/demo/open/%2e%2e/secret/x",
        "/demo/./secret/x",
        "//demo/secret/x",
        "/demo//secret/x",
        "/demo/secret/x/",
        "/demo/secret/%00",
        "/demo/secret/%ff%fe",
        "/demo/secret/%c0%ae%c0%ae",
        "/DEMO/secret/x",
        "/demo/secret%2fx",
        "/demo/secret/x;a=b",
        "/demo/secret/x%0d%0aSet-Cookie:%20a=b",
        "/demo/open?" + "q=" + "a" * 6000,
        "/demo/open?q=%ff%fe%00",
        "/demo/secret/x?__proto__=1&q[]=1",
        "http://evil.example/demo/secret/x",
        "*",
    ],
)
def test_path_tricks_open_nothing(ask: Ask, path: str) -> None:
    """Whatever the path looks like: no server error, and the protected endpoint does not run for strangers."""
    status, headers, body = ask(head(path))
    assert status < 500, status
    assert b"opened" not in body
    assert "set-cookie" not in headers


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "PROPFIND", "get"])
def test_unusual_methods_open_nothing(ask: Ask, method: str) -> None:
    """A client error, and nothing runs."""
    status, _, body = ask(head("/demo/secret/x", ADA, method=method))
    assert 400 <= status < 500
    assert b"opened" not in body


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[" * 2000, b'{"text": 1e999}', b"null", b'{"text":"\\ud800"}'])
def test_broken_json_is_a_client_error(ask: Ask, body: bytes) -> None:
    """Malformed UTF-8, nesting and lone surrogates are refused without a server error."""
    raw = head("/demo/notes", ADA, JSON, f"Content-Length: {len(body)}", method="POST")
    status, _, _ = ask(raw, finish=body)
    assert status in (200, 400, 413, 422)


def test_a_cross_site_form_changes_nothing(ask: Ask) -> None:
    """A form on another site, sent by a browser with the session's cookie, is refused."""
    raw = head(
        "/demo/notes",
        "Cookie: session=ada",
        "Origin: https://evil.example",
        "Sec-Fetch-Site: cross-site",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 6",
        method="POST",
    )
    assert ask(raw, finish=b"text=x")[0] == 403


def test_errors_carry_the_strict_headers_too(ask: Ask) -> None:
    """A refusal at the door is not weaker than an answer."""
    _, headers, _ = ask(head("/demo/open", host="evil.example"))
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers
