"""A uvicorn server of its own process, and the CPU time that it used."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    pid: int
    started_in: float

    def cpu_seconds(self) -> float:
        """User and system time of the process and its threads, in nanosecond resolution where the kernel tells it."""
        schedstat = Path(f"/proc/{self.pid}/task")
        total = 0
        for task in schedstat.iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident_megabytes(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise LookupError("VmRSS")


@contextmanager
def running(
    factory: str, data: Path, python: str = sys.executable, variables: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Serve ``apps:<factory>`` with uvloop and httptools until the block ends."""
    arguments = [python, "-m", "uvicorn", f"apps:{factory}", "--factory"]
    arguments += [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "critical",
        "--no-proxy-headers",
    ]
    with _started(arguments, data, variables) as server:
        yield server


@contextmanager
def product(data: Path, python: str) -> Iterator[Server]:
    """``fsp run`` of an environment, with whatever capabilities are installed there."""
    command = [str(Path(python).with_name("fsp")), "run"]
    with _started(command, data, {"FSP_DATA_DIR": str(data), "PYTHONPATH": ""}) as server:
        yield server


@contextmanager
def serving(factory: str, data: Path, *more: str) -> Iterator[Server]:
    """Serve ``apps:<factory>`` (or ``<module>:<factory>``) with the platform's own server until the block ends."""
    module, target = "fastapi_services_platform.cli", factory if ":" in factory else f"apps:{factory}"
    with _started([sys.executable, "-m", module, "run", "--app", target, *more], data) as server:
        yield server


@contextmanager
def _started(arguments: list[str], data: Path, variables: Mapping[str, str] | None = None) -> Iterator[Server]:
    port = _free_port()
    arguments = [*arguments, "--port", str(port)]
    environment = {**os.environ, "BENCH_DATA": str(data), "PYTHONPATH": str(HERE), **(variables or {})}
    begun = time.perf_counter()
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(arguments, env=environment, cwd=HERE, stdout=log, stderr=log)
    try:
        _wait(port, process, data)
        yield Server(port, process.pid, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]", data: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2) as probe:
                probe.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if probe.recv(16).startswith(b"HTTP/1.1"):
                    return
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"the server did not start: {(data / 'server.log').read_text()[-2000:]}")
