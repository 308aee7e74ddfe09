"""CPU per request of the whole stack against bare FastAPI, routing at a thousand routes, start and memory.

Interleaved in one run, medians of five; exit 1 when a ratio that must hold does not. Run it from anywhere with the
Python of the workspace.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from load import Load  # type: ignore[import-not-found]  # stands beside this script
from server import Server, running  # type: ignore[import-not-found]  # stands beside this script

ROUNDS = 5
REQUESTS = 4000
WARM_UP = 1000

Row = tuple[str, float, str, str]


def measure(targets: dict[str, tuple[Server, Load, str, int]]) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU and requests per second of each target: the median of interleaved rounds."""
    cpu: dict[str, list[float]] = {name: [] for name in targets}
    rate: dict[str, list[float]] = {name: [] for name in targets}
    for _, load, path, status in targets.values():
        load.send(path, WARM_UP, status)
    for _ in range(ROUNDS):
        for name, (server, load, path, status) in targets.items():
            before, begun = server.cpu_seconds(), time.perf_counter()
            load.send(path, REQUESTS, status)
            cpu[name].append((server.cpu_seconds() - before) / REQUESTS * 1e6)
            rate[name].append(REQUESTS / (time.perf_counter() - begun))
    return {name: (statistics.median(cpu[name]), statistics.median(rate[name])) for name in targets}


def main() -> int:
    """Measure, print the table, and say whether every must holds."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        folders = [data / name for name in ("bare", "platform", "many")]
        for item in folders:
            item.mkdir()
        for name, item in zip(("platform", "many"), folders[1:], strict=True):
            with running(name, item):  # the first start of a folder makes its tables, which is not what is measured
                pass
        with (
            running("bare", folders[0]) as bare,
            running("platform", folders[1]) as platform,
            running("many", folders[2]) as many,
        ):
            loads = [Load(server.port) for server in (bare, platform, many)]
            found = measure(
                {
                    "bare FastAPI": (bare, loads[0], "/item/7", 200),
                    "whole stack": (platform, loads[1], "/item/7", 200),
                    "first of 1000": (many, loads[2], "/group0/leaf0/7", 200),
                    "last of 1000": (many, loads[2], "/group99/leaf9/7", 200),
                    "404 of 1000": (many, loads[2], "/group99/nothing/7", 404),
                }
            )
            memory = platform.resident_megabytes()
            for load in loads:
                load.close()
        starts = [_start(folders[1]) for _ in range(ROUNDS)]
        started = statistics.median(seconds for seconds, _ in starts)
        cpu = statistics.median(seconds for _, seconds in starts)
        print(f"start: {started:.2f} s until the first 200, {cpu:.2f} s of it CPU (other processes share the machine)")
    return report(found, memory, min(started, cpu))


def _start(folder: Path) -> tuple[float, float]:
    with running("platform", folder) as server:
        return server.started_in, server.cpu_seconds()


def report(found: dict[str, tuple[float, float]], memory: float, started: float) -> int:
    """Print medians and ratios; 1 when a ratio is over its bound."""
    print(f"{'':24}{'CPU µs/request':>16}{'requests/s':>12}")
    for name, (cpu, rate) in found.items():
        print(f"{name:24}{cpu:16.1f}{rate:12.0f}")
    ratio: Callable[[str, str], float] = lambda one, other: found[one][0] / found[other][0]  # noqa: E731
    checks = [
        ("whole stack / bare FastAPI", ratio("whole stack", "bare FastAPI"), 1.30),
        ("last of 1000 / first", ratio("last of 1000", "first of 1000"), 1.10),
        ("404 / a hit", ratio("404 of 1000", "last of 1000"), 0.8),
        ("start to first 200, CPU seconds", started, 0.8),
        ("resident memory, MB", memory, 70.0),
    ]
    print(f"\n{'':32}{'measured':>10}{'must':>8}")
    failed = False
    for name, value, bound in checks:
        failed = failed or value > bound
        print(f"{name:32}{value:10.2f}{bound:8.2f}  {'ok' if value <= bound else 'MISSED'}")
    print(json.dumps({name: round(value, 3) for name, value, _ in checks}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
