"""Ten times the load that the platform can carry: goodput, latency of what is accepted, probes, recovery.

The server has one core and the load has another (where there are two): otherwise each would measure the other. The
load is offered, not closed: every connection keeps its schedule, whatever the answers were.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from load import request  # type: ignore[import-not-found]  # stands beside this script
from server import Server, serving  # type: ignore[import-not-found]  # stands beside this script

PEAK_CONNECTIONS = 16
OVERLOAD_CONNECTIONS = 1000
TIMES = 10
CORES = sorted(os.sched_getaffinity(0))


@dataclass
class Tally:
    """Answers of one phase."""

    good: int = 0
    shed: int = 0
    other: int = 0
    latencies: list[float] = field(default_factory=list)
    good_at: list[float] = field(default_factory=list)

    def p99(self) -> float:
        """Of the accepted ones, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[int(len(ordered) * 0.99)] if ordered else 0.0


class Asker(asyncio.Protocol):
    """One connection: a request every ``period`` seconds, or as soon as the last one is answered."""

    def __init__(self, path: str, tally: Tally, period: float, first: float) -> None:
        self.data = request(path)
        self.tally = tally
        self.period = period
        self.due = first
        self.begun = 0.0
        self.loop = asyncio.get_running_loop()
        self.buffer = b""
        self.over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for :meth:`begin`."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def begin(self, moment: float) -> None:
        """Ask from this moment of the loop on."""
        self.due += moment
        self.loop.call_at(self.due, self.send)

    def send(self) -> None:
        """Ask once."""
        if not self.over:
            self.begun = time.perf_counter()
            self.transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and ask for the next one when its time has come."""
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = b""
        status = head[9:12]
        if status == b"200":
            now = time.perf_counter()
            self.tally.good += 1
            self.tally.latencies.append(now - self.begun)
            self.tally.good_at.append(now)
        elif status == b"503":
            self.tally.shed += 1
        else:
            self.tally.other += 1
        self.due = max(self.due + self.period, self.loop.time())
        self.loop.call_at(self.due, self.send)

    def connection_lost(self, _exc: Exception | None) -> None:
        """A connection that the server closed before the end is an answer of another kind."""
        if not self.over:
            self.tally.other += 1


async def phase(port: int, connections: int, seconds: float, rate: float = 0.0) -> tuple[Tally, Tally]:
    """Load on one side, a probe every tenth of a second on the other. Rate 0: as fast as answers come."""
    loop = asyncio.get_running_loop()
    work, probes = Tally(), Tally()
    period = connections / rate if rate else 0.0
    askers = [Asker("/work", work, period, number * period / connections) for number in range(connections)]
    for asker in askers:
        await loop.create_connection(lambda asker=asker: asker, "127.0.0.1", port)  # type: ignore[misc]  # a default
    begun = loop.time()
    for asker in askers:
        asker.begin(begun)
    while loop.time() < begun + seconds:
        await probe(port, probes)
        await asyncio.sleep(0.1)
    for asker in askers:
        asker.over = True
        asker.transport.close()
    return work, probes


async def probe(port: int, probes: Tally) -> None:
    """Ask /health/live over a connection of its own, as an orchestrator does."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/health/live"))
    head = await reader.readuntil(b"\r\n\r\n")
    probes.good += head.startswith(b"HTTP/1.1 200")
    probes.latencies.append(time.perf_counter() - begun)
    writer.close()


def pinned(server: Server) -> str:
    """Give server and load a core each, where there are two."""
    if len(CORES) < 2:
        return "one core for both"
    for thread in (Path("/proc") / str(server.pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {CORES[0]})
    os.sched_setaffinity(0, {CORES[1]})
    return "a core each"


def recovery(after: Tally, begun: float, peak_rate: float) -> float:
    """Seconds until a quarter of a second brought four fifths of the peak."""
    for step in range(20):
        left, right = begun + step * 0.25, begun + (step + 1) * 0.25
        if sum(left <= moment < right for moment in after.good_at) >= 0.8 * peak_rate * 0.25:
            return (step + 1) * 0.25
    return 5.0


def main() -> int:
    """Measure and say whether every must holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30.0, help="of overload")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, serving("heavy", Path(folder)) as server:
        where = pinned(server)
        asyncio.run(phase(server.port, PEAK_CONNECTIONS, 2))
        used = server.cpu_seconds()
        peak, _ = asyncio.run(phase(server.port, PEAK_CONNECTIONS, seconds / 3))
        peak_cpu = server.cpu_seconds() - used
        peak_rate = peak.good / (seconds / 3)
        used = server.cpu_seconds()
        over, probes = asyncio.run(phase(server.port, OVERLOAD_CONNECTIONS, seconds, TIMES * peak_rate))
        over_cpu = server.cpu_seconds() - used
        begun = time.perf_counter()
        after, _ = asyncio.run(phase(server.port, PEAK_CONNECTIONS, 5.0))
    over_rate = over.good / seconds
    offered = (over.good + over.shed) / seconds / peak_rate
    rows = [
        ("goodput under overload / peak", over_rate / peak_rate, ">=", 0.8),
        ("the same per second of the server's CPU", over.good / over_cpu / (peak.good / peak_cpu), ">=", 0.8),
        ("p99 of accepted, seconds", over.p99(), "<=", 1.0),
        ("p99 of /health/live, seconds", probes.p99(), "<=", 0.1),
        ("recovered after, seconds", recovery(after, begun, peak_rate), "<=", 2.0),
        ("answers that are neither 200 nor 503", float(over.other + after.other), "<=", 0.0),
    ]
    print(f"server and load have {where}; peak {peak_rate:.0f}/s; offered {offered:.1f} times that for {seconds:.0f} s")
    print(f"overload {over_rate:.0f}/s and {over.shed / seconds:.0f}/s shed; {probes.good} probes answered")
    failed = False
    for name, value, sign, bound in rows:
        holds = value >= bound if sign == ">=" else value <= bound
        failed = failed or not holds
        print(f"{name:42}{value:8.2f} {sign} {bound:5.2f}  {'ok' if holds else 'MISSED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
