"""The table of the runtime's bounds: CPU against bare FastAPI, routing, start, memory, log; then calls and overload.

Everything runs from environments made of wheels. Interleaved in one run, medians of five. ``--strict`` ends with 1 when
something is not as it must be; ``--brief`` leaves out what takes minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

from environments import SHELL, Environments  # type: ignore[import-not-found]  # stands beside this script
from load import Load  # type: ignore[import-not-found]  # as above
from server import HERE, Server, product, running  # type: ignore[import-not-found]  # as above

ROUNDS = 5
WARM_UP = 1000
LONG = ("outbound.py", "neighbours.py", "workers.py", "overload.py")


class Target(NamedTuple):
    """What is asked of whom."""

    server: Server
    load: Load
    path: str
    status: int = 200


class Row(NamedTuple):
    """A bound and how it was kept."""

    name: str
    measured: float
    must: float

    @property
    def holds(self) -> bool:
        """Whether it was."""
        return self.measured <= self.must


class Sink(BaseHTTPRequestHandler):
    """A collector that throws traces away."""

    def do_POST(self) -> None:
        """Take and forget."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def measure(targets: dict[str, Target], count: int) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU and requests per second of each target: the median of interleaved rounds."""
    cpu: dict[str, list[float]] = {name: [] for name in targets}
    rate: dict[str, list[float]] = {name: [] for name in targets}
    for target in targets.values():
        target.load.send(target.path, WARM_UP, target.status)
    for _ in range(ROUNDS):
        for name, target in targets.items():
            before, begun = target.server.cpu_seconds(), time.perf_counter()
            target.load.send(target.path, count, target.status)
            cpu[name].append((target.server.cpu_seconds() - before) / count * 1e6)
            rate[name].append(count / (time.perf_counter() - begun))
    return {name: (statistics.median(cpu[name]), statistics.median(rate[name])) for name in targets}


def requests(python: str, folder: Path, collector: str, count: int) -> dict[str, tuple[float, float]]:
    """CPU and rate of the stack, of its parts, and of routing."""
    traced = {"FSP_OTLP_ENDPOINT": collector, "FSP_TRACE_RATIO": "0.01"}
    apps = {
        "bare FastAPI": ("bare", {}),
        "whole stack": ("platform", traced),
        "less tracing": ("platform", {}),
        "less the access line": ("platform", {"FSP_LOG_LEVEL": "warning"}),
        "less sign-in and permission": ("public", {}),
        "whole stack, not compiled": ("uncompiled", traced),
        "many": ("many", {}),
    }
    with ExitStack() as stack:
        loads: dict[str, tuple[Server, Load]] = {}
        for number, (name, (factory, variables)) in enumerate(apps.items()):
            data = folder / f"app{number}"
            data.mkdir()
            server = stack.enter_context(running(factory, data, python, variables))
            loads[name] = (server, Load(server.port))
            stack.callback(loads[name][1].close)
        many = loads.pop("many")
        targets = {name: Target(server, load, "/item/7") for name, (server, load) in loads.items()}
        targets["first of 1000 routes"] = Target(*many, "/group0/leaf0/7")
        targets["last of 1000 routes"] = Target(*many, "/group99/leaf9/7")
        targets["404 among 1000 routes"] = Target(*many, "/group99/nothing/7", 404)
        return measure(targets, count)


def start(python: str, data: Path) -> tuple[float, float, float]:
    """Seconds until the first answer, CPU seconds of them, and resident memory after a thousand requests."""
    data.mkdir()
    with product(data, python):  # the first start of a folder makes its tables, which is not what is measured
        pass
    found = []
    for _ in range(ROUNDS):
        with product(data, python) as server:
            cpu = server.cpu_seconds()
            load = Load(server.port)
            load.send("/health/live", WARM_UP)
            load.close()
            found.append((server.started_in, cpu, server.resident_megabytes()))
    seconds, cpus, memory = (statistics.median(column) for column in zip(*found, strict=True))
    return seconds, cpus, memory


def log_cost(python: str) -> float:
    """Microseconds of one event on the thread that logs it."""
    done = subprocess.run([python, str(HERE / "log_cost.py")], check=True, capture_output=True)
    cost: float = json.loads(done.stdout)["microseconds"]
    return cost


def table(count: int) -> list[Row]:
    """Measure everything that is quick."""
    collector = HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environments = Environments(folder)
        alone = environments.python("alone")
        traced = environments.python("traced", "fastapi-services-platform[otel]")
        shell = environments.python("shell", *SHELL)
        found = requests(traced, folder, f"http://127.0.0.1:{collector.server_port}", count)
        print_costs(found)
        starts = {"runtime alone": start(alone, folder / "d1"), "shell with all": start(shell, folder / "d2")}
        logged = log_cost(alone)
    collector.shutdown()
    for what, (seconds, cpu, memory) in starts.items():
        print(f"{what}: {seconds:.2f} s to the first answer, {cpu:.2f} s of CPU in it, {memory:.0f} MB")
    return [
        Row("whole stack / bare FastAPI", ratio(found, "whole stack", "bare FastAPI"), 1.30),
        Row("last of 1000 routes / first", ratio(found, "last of 1000 routes", "first of 1000 routes"), 1.10),
        Row("404 / a hit", ratio(found, "404 among 1000 routes", "last of 1000 routes"), 0.8),
        Row("start, runtime alone, s", starts["runtime alone"][0], 0.8),
        Row("start, shell with all, s", starts["shell with all"][0], 1.5),
        Row("memory, runtime alone, MB", starts["runtime alone"][2], 70.0),
        Row("memory, shell with all, MB", starts["shell with all"][2], 150.0),
        Row("log event on the loop, µs", logged, 20.0),
    ]


def ratio(found: dict[str, tuple[float, float]], one: str, other: str) -> float:
    """CPU of one against CPU of another."""
    return found[one][0] / found[other][0]


def print_costs(found: dict[str, tuple[float, float]]) -> None:
    """CPU and rate of every target, and what it is of bare FastAPI."""
    print(f"{'':32}{'CPU µs/request':>16}{'of bare':>9}{'requests/s':>12}")
    for name, (cpu, rate) in found.items():
        print(f"{name:32}{cpu:16.1f}{ratio(found, name, 'bare FastAPI'):9.2f}{rate:12.0f}")


def main() -> int:
    """Print the table; 1 when asked to be strict and a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--requests", type=int, default=4000, help="of each round")
    asked, _ = parser.parse_known_args()
    rows = table(asked.requests)
    print(
        f"\n{'':32}{'measured':>10}{'must':>8}   (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the end)"
    )
    for row in rows:
        print(f"{row.name:32}{row.measured:10.2f}{row.must:8.2f}  {'ok' if row.holds else 'MISSED'}")
    print(json.dumps({row.name: round(row.measured, 3) for row in rows}))
    missed = [row.name for row in rows if not row.holds]
    for script in () if asked.brief else LONG:
        if (HERE / script).is_file():
            print(f"\n-- {script.removesuffix('.py')}", flush=True)
            if subprocess.run([sys.executable, str(HERE / script)], check=False).returncode:
                missed.append(script)
    return 1 if asked.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
