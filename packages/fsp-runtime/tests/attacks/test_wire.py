"""Attacks that a client library would not send: over a real server with raw sockets; never a 500, never open."""

import random
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Request, WebSocket

from fastapi_services_platform import Contribution, Manifest, Permission, RouterMount, Tier, access, create_app
from fastapi_services_platform.engine.processes import bounded_protocol
from fastapi_services_platform.fastapi import csrf_token
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for

Address = tuple[str, int]

router = APIRouter()
changes: list[str] = []


@router.get("/who")
@access(public=True)
async def who(request: Request) -> dict[str, object]:
    client = request.client
    return {"client": client.host if client else None, "scheme": request.url.scheme}


@router.get("/token")
@access(authenticated=True)
async def token(request: Request) -> dict[str, str]:
    return {"token": csrf_token(request)}


@router.post("/change")
@access(permission="demo.note.read")
async def change(request: Request) -> dict[str, str]:
    changes.append((await request.body()).decode("utf-8", "replace"))
    return {"changed": "yes"}


@router.get("/secret/{name}")
@access(permission="demo.note.read")
async def secret(name: str) -> dict[str, str]:
    return {"opened": name}


@router.websocket("/live")
@access(permission="demo.note.read")
async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("opened")
    await socket.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    demo = Prepared(
        Manifest("demo", "1.0", ""),
        Contribution(
            routers=(RouterMount("api", router, Tier.API),),
            permissions=(Permission("demo.note.read", "Read"),),
        ),
    )
    settings = settings_for(
        Path(tmp_path_factory.mktemp("data")),
        trusted_hosts=("platform.test",),
        trusted_proxies=("127.0.0.1/32", "10.0.0.0/8"),
        max_body_bytes=4096,
        request_timeout=5.0,
    )
    with serve(create_app(settings, capabilities=[believing_identity(), demo])) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def raw(address: Address, *parts: bytes, seconds: float = 5.0) -> bytes:
    """Everything that comes back until the server closes or is silent."""
    data = b""
    with socket.create_connection(address, seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                data += chunk
        except OSError:
            return data
    return data


def statuses(data: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]


def head(path: str, *more: str, method: str = "GET", host: str = "platform.test") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more, "", ""]
    return "\r\n".join(lines).encode("latin-1")


COOKIE = "Cookie: session=ada"
OWN = "Origin: http://platform.test"
FORM = "Content-Type: application/x-www-form-urlencoded"


def post(body: bytes, *more: str) -> bytes:
    return head("/change", *more, f"Content-Length: {len(body)}", method="POST") + body


def test_a_trusted_proxy_is_believed_as_far_as_it_is_trusted(served: Address) -> None:
    """The last address that no trusted proxy has is the client; what it wrote before that itself does not count."""
    chain = "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3"
    answer = raw(served, head("/who", chain, "X-Forwarded-Proto: https"))
    assert b'{"client":"203.0.113.9","scheme":"https"}' in answer
    for nonsense in ("X-Forwarded-For: not an address", "X-Forwarded-For: 127.0.0.1:80", "X-Forwarded-Proto: gopher"):
        assert b'{"client":"127.0.0.1","scheme":"http"}' in raw(served, head("/who", nonsense))


def test_a_form_needs_the_token_of_its_session(served: Address) -> None:
    """Over the wire: with the token in field or header a change is made; without, with another's, or from afar not."""
    changes.clear()
    answer = raw(served, head("/token", COOKIE))
    own = answer.partition(b'"token":"')[2].partition(b'"')[0]
    field = b"csrf_token=" + own + b"&text=x"
    assert statuses(raw(served, post(field, COOKIE, OWN, FORM))) == [200]
    assert statuses(raw(served, post(b"{}", COOKIE, OWN, f"X-CSRF-Token: {own.decode()}"))) == [200]
    made = len(changes)
    refused = [
        post(b"text=x", COOKIE, OWN, FORM),
        post(b"text=x&csrf_token=" + own, COOKIE, OWN, FORM),
        post(field, "Cookie: session=eve", OWN, FORM),
        post(field, COOKIE, "Origin: https://evil.example", FORM),
        post(field, COOKIE, "Origin: null", FORM),
        post(field, COOKIE, "Sec-Fetch-Site: cross-site", FORM),
        post(field, COOKIE, "Sec-Fetch-Site: same-site", FORM),
        post(b"csrf_token=", COOKIE, OWN, FORM),
        post(b"csrf_token=%ff%fe", COOKIE, OWN, FORM),
        post(field, COOKIE, OWN, "Content-Type: text/plain"),
    ]
    assert [statuses(raw(served, request)) for request in refused] == [[403]] * len(refused)
    assert (made, len(changes)) == (2, 2)


@pytest.mark.parametrize(
    "request_bytes",
    [
        # two lengths, or a length and chunks: what a proxy and we may read differently
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /secret/x HTTP/1.1\r\nHost: platform.test\r\nAuthorization: Bearer ada\r\n\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n"
        b"GET /secret/x HTTP/1.1\r\nHost: platform.test\r\nAuthorization: Bearer ada\r\n\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nContent-Length: +4\r\n\r\nabcd",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"POST /change HTTP/1.1\r\nHost: platform.test\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"GET /secret/x HTTP/1.1\r\nHost: platform.test\r\nX-A: b\r\n Authorization: Bearer ada\r\n\r\n",
        b"GET /secret/x HTTP/1.1\r\nHost: platform.test\r\nX-A: b\x00c\r\n\r\n",
        b"GET /secret/x HTTP/1.1\r\nHost: platform.test\r\nX A: b\r\n\r\n",
        b"GET /secret/x HTTP/1.1\nHost: platform.test\n\n",
        b"GET  /secret/x HTTP/1.1\r\nHost: platform.test\r\n\r\n",
        b"GET /secret/x HTTP/9.9\r\nHost: platform.test\r\n\r\n",
        b"GET /secret/x\r\n\r\n",
        b"GET /secret/\xff\xfe HTTP/1.1\r\nHost: platform.test\r\n\r\n",
        b"GET http://evil.example/secret/x HTTP/1.1\r\nHost: platform.test\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET /secret/x HTTP/1.1\r\n\r\n",
        b"GET /secret/x HTTP/1.0\r\n\r\n",
    ],
)
def test_what_two_readers_would_read_differently_opens_nothing(served: Address, request_bytes: bytes) -> None:
    """Smuggled requests, broken heads, other protocols: refused or cut off, and nothing behind them runs for ada."""
    changes.clear()
    answer = raw(served, request_bytes)
    assert all(status < 500 for status in statuses(answer)), statuses(answer)
    assert b"opened" not in answer
    assert changes == []


def test_pipelined_requests_are_answered_in_order(served: Address) -> None:
    """Each with its own credentials: the second does not inherit those of the first."""
    one = head("/secret/one", "Authorization: Bearer ada").replace(b"Connection: close\r\n", b"")
    answer = raw(served, one + head("/secret/two"))
    assert statuses(answer) == [200, 401]
    assert b'"opened":"two"' not in answer


@pytest.mark.parametrize("size", [10_000, 60_000, 200_000])
def test_an_oversized_query_is_refused(served: Address, size: int) -> None:
    """By us or by the server's own limit of a head; never taken, never an error of ours."""
    found = statuses(raw(served, head("/who?q=" + "a" * size)))
    assert found == [] or found[0] in (200, 400, 414, 431)
    assert size < 65_536 or found in ([], [400], [431])


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://platform.test.evil.example"])
def test_a_socket_from_another_site_is_not_opened(served: Address, origin: str) -> None:
    """Browsers send cookies with a WebSocket handshake from anywhere."""
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    request = head("/live", *upgrade, COOKIE, f"Origin: {origin}").replace(b"Connection: close", b"Connection: Upgrade")
    answer = raw(served, request)
    assert 101 not in statuses(answer)
    assert b"opened" not in answer


def test_a_head_that_does_not_come_is_given_up(served: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps no connection for ever."""
    monkeypatch.setattr(bounded_protocol, "HEAD_SECONDS", 0.3)
    with socket.create_connection(served, 10) as connection:
        connection.sendall(b"GET /who HTTP/1.1\r\nHost: ")
        assert connection.recv(100) == b""


def test_random_bytes_break_nothing(served: Address) -> None:
    """Mutations of good requests: no server error, no secret, and the server goes on."""
    chance = random.Random(7)
    good = [
        head("/secret/x", "Accept: text/html"),
        post(b"csrf_token=x&text=y", COOKIE, OWN, FORM),
        head("/who", "X-Forwarded-For: 1.2.3.4", "X-Correlation-ID: abcdefgh", "X-Deadline-Ms: 5000"),
    ]
    for number in range(150):
        mutated = bytearray(good[number % len(good)])
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(mutated))
            kind = chance.randrange(3)
            if kind == 0:
                mutated[place] = chance.randrange(256)
            elif kind == 1:
                del mutated[place]
            else:
                mutated[place:place] = chance.randbytes(chance.randint(1, 8))
        answer = raw(served, bytes(mutated))
        assert all(status < 500 for status in statuses(answer)), (number, bytes(mutated), answer[:200])
        assert b"opened" not in answer
    assert statuses(raw(served, head("/who"))) == [200]
