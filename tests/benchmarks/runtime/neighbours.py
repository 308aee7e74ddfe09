"""One capability hangs, leaks connections or crashes: what its neighbours notice. p99 of the others < +20 %.

Quiet and disturbed rounds take turns in one run on one server, so that whatever else the machine does falls on both;
the median of the rounds counts.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from load import request  # type: ignore[import-not-found]  # stands beside this script
from overload import pinned  # type: ignore[import-not-found]  # stands beside this script
from server import serving  # type: ignore[import-not-found]  # stands beside this script

ROUNDS = 7
SECONDS = 1.5
BOUND = 1.2
HANGING = 350
RATE = 20

Disturb = Callable[[int], Coroutine[object, object, None]]


async def neighbours(port: int, seconds: float) -> list[float]:
    """Seconds of each answer of the good capability, asked over four connections."""
    found: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        data = request("/good/7")
        while time.perf_counter() < until:
            begun = time.perf_counter()
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            found.append(time.perf_counter() - begun)
            await asyncio.sleep(0.001)
        writer.close()

    await asyncio.gather(*(one() for _ in range(4)))
    return found


async def hang(port: int) -> None:
    """More requests that never end than one capability may have."""
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(HANGING)]
    for writer in writers:
        writer.write(request("/hang"))
        await asyncio.sleep(0.001)
    try:
        await asyncio.Event().wait()
    finally:
        for writer in writers:
            writer.close()


async def often(port: int, path: str) -> None:
    """A request to the bad capability twenty times a second, whether it is answered or not."""
    writers = []
    try:
        while True:
            writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
            writers[-1].write(request(path))
            await asyncio.sleep(1 / RATE)
    finally:
        for writer in writers:
            writer.close()


async def leak(port: int) -> None:
    """Connections that are taken and never given back."""
    await often(port, "/leak")


async def crash(port: int) -> None:
    """Errors that nobody expected, with their traceback in the log."""
    await often(port, "/crash")


async def rounds(port: int, disturb: Disturb) -> tuple[float, float]:
    """The median p99 of quiet and of disturbed rounds, in seconds."""
    quiet, disturbed = [], []
    for _ in range(ROUNDS):
        quiet.append(_p99(await neighbours(port, SECONDS)))
        trouble = asyncio.create_task(disturb(port))
        await asyncio.sleep(1.0)
        disturbed.append(_p99(await neighbours(port, SECONDS)))
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
        await asyncio.sleep(0.2)
    return statistics.median(quiet), statistics.median(disturbed)


def _p99(found: list[float]) -> float:
    ordered = sorted(found)
    return ordered[int(len(ordered) * 0.99)]


def main() -> int:
    """Measure each kind of trouble and say whether every must holds."""
    failed = False
    for disturb in (hang, leak, crash):
        with tempfile.TemporaryDirectory() as folder, serving("neighbour_apps:platform", Path(folder)) as server:
            where = pinned(server)
            quiet, disturbed = asyncio.run(rounds(server.port, disturb))
        holds = disturbed < BOUND * quiet
        failed = failed or not holds
        verdict = "ok" if holds else "MISSED"
        print(
            f"{disturb.__name__:8}p99 {quiet * 1000:7.2f} ms quiet, {disturbed * 1000:7.2f} ms disturbed: "
            f"{disturbed / quiet:5.2f} < {BOUND}  {verdict} ({where})"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
