"""The guarded client against real servers: what it refuses, and that no connection is made for it."""

import asyncio
import datetime
import ipaddress
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fastapi_services_platform import OutboundFailed, OutboundPolicy, OutboundRefused, open_guarded_client

JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
LOOPBACK = OutboundPolicy(schemes=("http",), allow=("127.0.0.1",))


@dataclass
class Peer:
    """Answers each path with prepared bytes, and notes the heads that it got."""

    answers: dict[str, bytes]
    port: int = 0
    heads: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    open: dict[asyncio.Task[object], asyncio.StreamWriter] = field(default_factory=dict)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                writer.write(self.answers.get(head.split(" ")[1], JSON))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def peer(
    answers: dict[str, bytes] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Peer]:
    made = Peer(answers or {})
    server = await asyncio.start_server(made.serve, host, port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in made.open.values():
            writer.transport.abort()
        await asyncio.gather(*made.open, return_exceptions=True)


async def refused(url: str, policy: OutboundPolicy = LOOPBACK, method: str = "GET") -> OutboundRefused:
    client = open_guarded_client(policy)
    with pytest.raises(OutboundRefused) as caught:
        await client.request(method, url)
    await client.close()
    return caught.value


async def test_an_answer_comes_whole() -> None:
    """Status, headers in lower case, body."""
    async with peer() as server:
        client = open_guarded_client(LOOPBACK)
        answer = await client.get(server.url("/keys"), params={"a": "b c"}, headers={"X-One": "1"})
        await client.close()
    assert (answer.status, answer.json()) == (200, {"ok": True})
    assert answer.headers["content-type"] == "application/json"
    assert server.heads[0].startswith("GET /keys?a=b+c HTTP/1.1\r\n")
    assert "accept-encoding: identity" in server.heads[0].lower()


async def test_forms_are_sent() -> None:
    """A POST carries what it was given."""
    async with peer() as server:
        client = open_guarded_client(LOOPBACK)
        assert (await client.request("POST", server.url("/token"), form={"grant_type": "x"})).status == 200
        await client.close()
    assert "application/x-www-form-urlencoded" in server.heads[0]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"],
)
async def test_this_machine_is_refused_in_every_spelling(host: str) -> None:
    """The address is judged, not the text; no connection reaches the server."""
    async with peer() as server:
        client = open_guarded_client(OutboundPolicy(schemes=("http",), ports=(server.port,)))
        with pytest.raises((OutboundRefused, OutboundFailed)) as caught:
            await client.get(server.url(host=host))
        await client.close()
        assert server.heads == []
    if isinstance(caught.value, OutboundRefused):  # else the resolver knows no such spelling
        assert caught.value.reason in ("address", "url")  # httpx knows no octal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1/", "scheme"),
        ("https://127.0.0.1/", "scheme"),
        ("http://ada:secret@127.0.0.1/", "userinfo"),
        ("http://trusted.example@127.0.0.1/", "userinfo"),
        ("http:///path", "url"),
        ("http://[::1/", "url"),
        ("http://a\x00b/", "url"),
        ("//host/path", "scheme"),
        ("", "scheme"),
    ],
)
async def test_odd_addresses_are_refused(url: str, reason: str) -> None:
    """By the rule that they break, and without repeating the password."""
    error = await refused(url)
    assert error.reason == reason
    assert "secret" not in str(error)


async def test_an_odd_port_is_refused() -> None:
    """Only 80 and 443 unless the policy says otherwise."""

    async def public(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    client = open_guarded_client(OutboundPolicy(), resolve=public)
    with pytest.raises(OutboundRefused) as caught:
        await client.get("https://host.example:22/")
    await client.close()
    assert caught.value.reason == "port"


async def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    """Otherwise the next attempt might take the private one."""

    async def mixed(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", "10.0.0.1"]

    client = open_guarded_client(OutboundPolicy(), resolve=mixed)
    with pytest.raises(OutboundRefused) as caught:
        await client.get("https://host.example/")
    await client.close()
    assert caught.value.reason == "address"


async def test_a_name_that_changes_its_address_leads_nowhere_else() -> None:
    """DNS rebinding: the judged address is the one that is connected to, and each new connection is judged anew."""
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    closing = JSON.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
    async with peer({"/": closing}, host="127.0.0.2") as good, peer(port=good.port) as inner:
        client = open_guarded_client(OutboundPolicy(schemes=("http",), allow=("127.0.0.2",)), resolve=rebinding)
        url = good.url(host="rebind.example")
        assert (await client.get(url)).status == 200
        with pytest.raises(OutboundRefused):
            await client.get(url)
        await client.close()
    assert (len(good.heads), inner.heads, asked) == (1, [], ["rebind.example"] * 2)


def redirect(place: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_redirects_are_given_back_unless_asked_for() -> None:
    """The answer is the 302 itself."""
    async with peer({"/a": redirect("/b")}) as server:
        client = open_guarded_client(LOOPBACK)
        assert (await client.get(server.url("/a"))).status == 302
        await client.close()
    assert len(server.heads) == 1


async def test_each_hop_is_judged() -> None:
    """A hop within the rules is followed; one to an inner address is not, and too many are too many."""
    policy = replace(LOOPBACK, redirects=2)
    async with peer({"/a": redirect("/b"), "/loop": redirect("/loop")}) as server:
        server.answers["/evil"] = redirect("http://169.254.169.254/latest/meta-data/")
        server.answers["/file"] = redirect("file:///etc/passwd")
        client = open_guarded_client(policy)
        answer = await client.get(server.url("/a"))
        posted = await client.request("POST", server.url("/a"))
        await client.close()
        assert (answer.status, answer.url) == (200, server.url("/b"))
        assert posted.status == 302
        assert (await refused(server.url("/evil"), policy)).reason == "address"
        assert (await refused(server.url("/file"), policy)).reason == "scheme"
        assert (await refused(server.url("/loop"), policy)).reason == "redirect"


async def test_secrets_stay_with_their_host() -> None:
    """A hop to another origin gets no Authorization."""
    async with peer() as other, peer() as server:
        server.answers["/a"] = redirect(other.url("/b"))
        client = open_guarded_client(replace(LOOPBACK, redirects=1))
        await client.get(server.url("/a"), headers={"Authorization": "Bearer one", "X-Token": "two"})
        await client.close()
    assert "Bearer one" in server.heads[0]
    assert "authorization" not in other.heads[0].lower()
    assert "x-token" not in other.heads[0].lower()


async def test_a_large_answer_is_cut_off() -> None:
    """Whether it says its size or not."""
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n"
    unsaid = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 4
    async with peer({"/said": said, "/unsaid": unsaid}) as server:
        assert (await refused(server.url("/said"))).reason == "size"
        assert (await refused(server.url("/unsaid"))).reason == "size"


async def test_compressed_and_foreign_answers_are_refused() -> None:
    """Nothing is unpacked; when JSON is asked for, nothing else is taken."""
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
    async with peer({"/packed": packed, "/page": page}) as server:
        assert (await refused(server.url("/packed"))).reason == "content-encoding"
        assert (await refused(server.url("/page"), replace(LOOPBACK, json_only=True))).reason == "content-type"


async def test_a_slow_answer_ends_in_time() -> None:
    """The time is one for all: connecting, head, body and hops; a body that drips does not prolong it."""
    drip = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"
    async with peer({"/drip": drip}) as server:
        client = open_guarded_client(replace(LOOPBACK, total_seconds=0.2))
        with pytest.raises(OutboundFailed, match=r"not within 0\.2 s"):
            await client.get(server.url("/drip"))
        await client.close()


async def test_a_host_that_fails_often_is_left_alone() -> None:
    """A breaker for each host: five failures, then no connection is tried; another host is still called."""
    async with peer({"/": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"}) as sick, peer() as well:
        client = open_guarded_client(LOOPBACK)
        statuses = [(await client.get(sick.url())).status for _ in range(5)]
        with pytest.raises(OutboundFailed, match="left alone"):
            await client.get(sick.url())
        assert (await client.get(well.url())).status == 200
        states = [breaker.state for breaker in client.breakers]
        await client.close()
    assert (statuses, len(sick.heads), states) == ([503] * 5, 5, ["open", "closed"])


async def test_an_unknown_name_is_no_answer() -> None:
    """Named, without a traceback of the resolver."""
    client = open_guarded_client()
    with pytest.raises(OutboundFailed) as caught:
        await client.get("https://nowhere.invalid/")
    await client.close()
    assert str(caught.value).startswith("nowhere.invalid gave no answer: ")


async def test_certificates_are_checked_for_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    """The server sees the name (SNI); a certificate for another name is refused."""
    serving, trusting = authority(tmp_path, "provider.example")

    async def loopback(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with peer(tls=serving) as server:
        serving.sni_callback = lambda _socket, name, _context: server.names.append(name)
        client = open_guarded_client(OutboundPolicy(allow=("127.0.0.1",)), tls=trusting, resolve=loopback)
        answer = await client.get(f"https://provider.example:{server.port}/")
        with pytest.raises(OutboundFailed, match=r"(?i)certificate"):
            await client.get(f"https://other.example:{server.port}/")
        await client.close()
    assert (answer.status, server.names) == (200, ["provider.example", "other.example"])


def test_the_door_costs_no_http_client() -> None:
    """Opening a guarded client imports no httpx."""
    code = "import sys, fastapi_services_platform as f; f.open_guarded_client(); print({'httpx'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def authority(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for a name, and a client's context that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return serving, ssl.create_default_context(cafile=folder / "cert.pem")
