"""Two and four worker processes on the cores that there are: throughput grows until these are full, without an error.

Each request works for two milliseconds, so that the load itself takes little of the cores.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from load import request  # type: ignore[import-not-found]  # stands beside this script
from server import serving  # type: ignore[import-not-found]  # stands beside this script

SECONDS = 6.0
CONNECTIONS = 32
COUNTS = (1, 2, 4)


async def throughput(port: int) -> tuple[float, int]:
    """Answers a second, and answers that were none."""
    good = wrong = 0
    until = time.perf_counter() + SECONDS

    async def ask() -> None:
        nonlocal good, wrong
        data = request("/work")
        while time.perf_counter() < until:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                for _ in range(50):  # then anew, so that connections spread over the workers
                    writer.write(data)
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                    good += head.startswith(b"HTTP/1.1 200")
                    wrong += not head.startswith(b"HTTP/1.1 200")
                    if time.perf_counter() > until:
                        break
                writer.close()
            except (OSError, asyncio.IncompleteReadError):
                wrong += 1

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return good / SECONDS, wrong


def main() -> int:
    """Measure and say whether the must holds."""
    cores = len(os.sched_getaffinity(0))
    rates: dict[int, float] = {}
    failed = False
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder, serving("heavy", Path(folder), "--workers", str(count)) as server:
            time.sleep(3.0)  # until every worker has started
            rates[count], wrong = asyncio.run(throughput(server.port))
        failed = failed or wrong > 0
        print(f"{count} workers on {cores} cores: {rates[count]:6.0f}/s, {wrong} errors")
    rows = [
        ("2 workers / 1 worker", rates[2] / rates[1], 1.4 if cores > 1 else 0.9),
        ("4 / 2", rates[4] / rates[2], 0.85),
    ]
    for name, value, bound in rows:
        failed = failed or value < bound
        print(f"{name:24}{value:6.2f} >= {bound}  {'ok' if value >= bound else 'MISSED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
