"""Ten times the load that the platform can carry: goodput, latency of what is accepted, probes, recovery."""

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from load import request  # type: ignore[import-not-found]  # stands beside this script
from server import running  # type: ignore[import-not-found]  # stands beside this script

PEAK_CONNECTIONS = 4
OVERLOAD_CONNECTIONS = 400
SECONDS = 10.0


@dataclass
class Tally:
    """Answers of one phase."""

    good: int = 0
    shed: int = 0
    other: int = 0
    latencies: list[float] = field(default_factory=list)

    def p99(self) -> float:
        """Of the accepted ones, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[int(len(ordered) * 0.99)] if ordered else 0.0


async def ask(port: int, path: str, tally: Tally, until: float, pause: float = 0.0) -> None:
    """One connection that asks again and again, and waits a little after it was turned away."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = request(path)
    while time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        if head.startswith(b"HTTP/1.1 200"):
            tally.good += 1
            tally.latencies.append(time.perf_counter() - begun)
        elif head.startswith(b"HTTP/1.1 503"):
            tally.shed += 1
            await asyncio.sleep(0.2)
        else:
            tally.other += 1
        if pause:
            await asyncio.sleep(pause)
    writer.close()


async def phase(port: int, connections: int, seconds: float) -> tuple[Tally, Tally]:
    """Load on one side, a probe every tenth of a second on the other."""
    work, probes = Tally(), Tally()
    until = time.perf_counter() + seconds
    asking = [ask(port, "/work", work, until) for _ in range(connections)]
    await asyncio.gather(*asking, ask(port, "/health/live", probes, until, 0.1))
    return work, probes


def main() -> int:
    """Measure and say whether every must holds."""
    with tempfile.TemporaryDirectory() as folder, running("heavy", Path(folder)) as server:
        peak, _ = asyncio.run(phase(server.port, PEAK_CONNECTIONS, SECONDS / 2))
        over, probes = asyncio.run(phase(server.port, OVERLOAD_CONNECTIONS, SECONDS))
        time.sleep(1.0)
        after, _ = asyncio.run(phase(server.port, PEAK_CONNECTIONS, SECONDS / 4))
    peak_rate, over_rate, after_rate = peak.good / (SECONDS / 2), over.good / SECONDS, after.good / (SECONDS / 4)
    rows = [
        ("goodput under overload / peak", over_rate / peak_rate, ">=", 0.8),
        ("p99 of accepted, seconds", over.p99(), "<=", 1.0),
        ("recovered goodput / peak", after_rate / peak_rate, ">=", 0.8),
        ("answers that are neither 200 nor 503", float(over.other), "<=", 0.0),
    ]
    print(f"peak {peak_rate:.0f}/s, overload {over_rate:.0f}/s and {over.shed / SECONDS:.0f}/s shed")
    print(f"/health/live under overload: p99 {probes.p99() * 1000:.0f} ms of {probes.good}")
    failed = False
    for name, value, sign, bound in rows:
        holds = value >= bound if sign == ">=" else value <= bound
        failed = failed or not holds
        print(f"{name:40}{value:8.2f} {sign} {bound:5.2f}  {'ok' if holds else 'MISSED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
