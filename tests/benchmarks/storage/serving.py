"""Over HTTP: CPU of a read against a bare FastAPI route, a batch against single writes, blobs against a hashed copy."""

from __future__ import annotations

import hashlib
import json
import os
import random
import socket
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.storage.measuring import VALUE, Row, Scale
from tests.benchmarks.storage.servers import Served, web_server

_BLOCK = 1024 * 1024
_READS = 1500
_PAIRS = 15
"""Rounds of reads: one takes a fraction of a second, in which a busy neighbour shows."""

_DOCUMENTS = 2000
_TOGETHER = 100
_CONNECTIONS = 8
_COPIES = 2
_LONG = 60
"""Seconds after which one copy of a large blob has to do."""


class Client:
    """A few keep-alive connections over raw sockets: cheap, so that two cores suffice."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._lines = [self.line() for _ in range(_CONNECTIONS)]

    def line(self) -> socket.socket:
        """One connection."""
        line = socket.create_connection(("127.0.0.1", self.port), 300)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def send(self, requests: list[bytes]) -> None:
        """Send so many requests, each connection its share in turn. Raises ``RuntimeError`` when one is refused."""
        for start in range(0, len(requests), _CONNECTIONS):
            part = requests[start : start + _CONNECTIONS]
            for line, request in zip(self._lines, part, strict=False):
                line.sendall(request)
            for line, _ in zip(self._lines, part, strict=False):
                head, _ = answer(line)
                if not head.startswith(b"HTTP/1.1 20"):
                    raise RuntimeError(head.decode())

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.close()


def request(method: str, path: str, body: bytes = b"", length: int | None = None) -> bytes:
    """The bytes of a request; with a ``length`` the body is sent by others."""
    size = len(body) if length is None else length
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ada\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def answer(line: socket.socket, sink: Callable[[bytes], object] | None = None) -> tuple[bytes, int]:
    """Head and length of one answer."""
    data = line.recv(65_536)
    while b"\r\n\r\n" not in data:
        more = line.recv(65_536)
        if not more:
            raise RuntimeError(f"the server hung up: {data[:200]!r}")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    mark = lower.find(b"content-length:")
    length = int(lower[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
    got = len(body)
    if sink is not None:
        sink(body)
    while got < length:
        piece = line.recv(_BLOCK)
        got += len(piece)
        if sink is not None:
            sink(piece)
    return head, length


def cpu(server: Served, client: Client, requests: list[bytes]) -> float:
    """CPU microseconds of the server for each request."""
    before = server.cpu_seconds()
    client.send(requests)
    return (server.cpu_seconds() - before) / len(requests) * 1e6


def rows(folder: Path, scale: Scale) -> list[Row]:
    """What it costs over HTTP."""
    with ExitStack() as stack:
        platform = stack.enter_context(web_server("platform", folder / "platform"))
        bare = stack.enter_context(web_server("bare", folder / "bare"))
        client, other = Client(platform.port), Client(bare.port)
        stack.callback(client.close)
        stack.callback(other.close)
        client.send([request("PUT", "/storage/notes/k", json.dumps(VALUE).encode())])
        return [_reads(platform, client, bare, other, scale), _batches(platform, client, scale)]


def _reads(platform: Served, client: Client, bare: Served, other: Client, scale: Scale) -> Row:
    reads = [request("GET", "/storage/notes/k")] * _READS
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    ways = {"ours": (platform, client), "bare": (bare, other)}
    for server, connections in ways.values():
        cpu(server, connections, reads[:500])
    for _ in range(max(scale.rounds, _PAIRS)):
        for name in random.sample(list(ways), len(ways)):
            taken[name].append(cpu(*ways[name], reads))
    ours, plain = (statistics.median(values) for values in taken.values())
    ratio = statistics.median(a / b for a, b in zip(taken["ours"], taken["bare"], strict=True))
    what = "GET of a document with permission check, CPU against bare FastAPI"
    return Row(what, ratio, "x", 1.2, 0.5, note=f"{ours:.0f} us : {plain:.0f}")


def _batches(platform: Served, client: Client, scale: Scale) -> Row:
    body = json.dumps(VALUE).encode()
    singles = [request("PUT", f"/storage/notes/k{n}", body) for n in range(_DOCUMENTS)]
    steps = [[{"op": "put", "key": f"k{n}", "value": VALUE} for n in range(start, start + _TOGETHER)]
             for start in range(0, _DOCUMENTS, _TOGETHER)]  # fmt: skip
    batches = [request("POST", "/storage/notes:batch", json.dumps({"items": items}).encode()) for items in steps]
    taken: dict[str, list[float]] = {"single": [], "batch": []}
    for _ in range(scale.rounds):
        for name in random.sample(list(taken), 2):
            spent = cpu(platform, client, singles) if name == "single" else cpu(platform, client, batches) / _TOGETHER
            taken[name].append(spent)
    single, together = (statistics.median(values) for values in taken.values())
    what = f"batch of {_TOGETHER} over HTTP: a document against a single PUT, CPU"
    return Row(what, single / together, "x", 6, 12, at_least=True, note=f"{single:.0f} us : {together:.0f}")


def blob_rows(folder: Path, scale: Scale) -> list[Row]:
    """A large blob in and out: memory beside what the server has anyway, and speed."""
    source = folder / "source"
    _write(source, scale.blob)
    with web_server("platform", folder / "blobs") as server:
        client = Client(server.port)
        _in(client, source, folder, 64 * _BLOCK)
        _out(client, 64 * _BLOCK)
        server.forget_peak()
        before = server.resident()
        ratios, begun = list[tuple[float, ...]](), time.perf_counter()
        while not ratios or (len(ratios) < _COPIES and time.perf_counter() - begun < _LONG):
            copied = _timed(lambda: _hashed_copy(source, folder / "copy"))
            put = _timed(lambda: _in(client, source, folder, scale.blob))
            got = _timed(lambda: _out(client, scale.blob))
            ratios.append((copied / put, copied / got, put, got, copied))
        memory = server.resident("VmHWM") - before
        client.close()
    into, out, put, got, copied = (statistics.median(values) for values in zip(*ratios, strict=True))
    size = f"{scale.blob / 1024**3:g} GiB"
    note = f"copy {copied:.1f} s, in {put:.1f} s, out {got:.1f} s"
    return [
        Row(f"blob of {size} in and out over HTTP: extra memory", memory, "MiB", 32, 16),
        Row(f"blob of {size} in over HTTP against a hashed copy", into, "x", 0.5, 0.8, at_least=True, note=note),
        Row(f"blob of {size} out over HTTP against a hashed copy", out, "x", 0.5, 0.8, at_least=True, note=note),
    ]


def _write(path: Path, size: int) -> None:
    block = os.urandom(_BLOCK)
    with path.open("wb") as file:
        for number in range(size // _BLOCK):
            file.write(number.to_bytes(8) + block[8:])


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _hashed_copy(source: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_BLOCK):
            digest.update(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    target.unlink()


def _in(client: Client, source: Path, folder: Path, size: int) -> None:
    """Upload; each time with another first byte, else the content is known already."""
    line = client.line()
    line.sendall(request("PUT", "/blobs/files/large", length=size))
    with source.open("rb") as reading:
        line.sendall(os.urandom(_BLOCK))
        reading.seek(_BLOCK)
        line.sendfile(reading, _BLOCK, size - _BLOCK)
    head, _ = answer(line)
    line.close()
    if not head.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(head.decode())


def _out(client: Client, size: int) -> None:
    line = client.line()
    line.sendall(request("GET", "/blobs/files/large"))
    _, length = answer(line)
    line.close()
    if length != size:
        raise RuntimeError(f"{length} bytes came instead of {size}")
