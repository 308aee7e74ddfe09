"""Real servers on free ports, durable, and what they use of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.storage.measuring import ROOT

_START_SECONDS = 60


@dataclass(frozen=True)
class Served:
    """A web server in a process of its own."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of the process with its threads."""
        tasks = Path(f"/proc/{self.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def resident(self, field: str = "VmRSS") -> float:
        """Resident memory in MiB: now, or with ``VmHWM`` at its highest since the last :meth:`forget_peak`."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(field)

    def forget_peak(self) -> None:
        """Let the highest be what it is now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def web_server(factory: str, data: Path) -> Iterator[Served]:
    """Serve a factory of ``apps`` with uvloop and httptools while the block runs."""
    port = _free_port()
    app = f"tests.benchmarks.storage.apps:{factory}"
    command = [sys.executable, "-m", "uvicorn", app, "--factory", "--loop", "uvloop", "--http", "httptools",
               "--no-access-log", "--log-level", "critical", "--no-proxy-headers", "--port", str(port)]  # fmt: skip
    environment = {**os.environ, "BENCH_DATA": str(data), "PYTHONPATH": str(ROOT)}
    data.mkdir(parents=True, exist_ok=True)
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        _until(lambda: _listens(port), process, data / "server.log")
        yield Served(port, process.pid)
    finally:
        _stop(process, signal.SIGTERM)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server whose commits are on the disk."""
    folder.mkdir()
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user, -1)
    data, port = str(folder / "data"), _free_port()
    subprocess.run(
        [_tool("initdb"), "-D", data, "-U", "fsp", "--auth=trust", "-E", "UTF8", "--locale=C"],
        check=True, capture_output=True, user=user, cwd=folder,
    )  # fmt: skip
    command = [_tool("postgres"), "-D", data, "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-c", "max_connections=200"], stdout=log, stderr=log, user=user, cwd=folder
        )
    ask = [_tool("pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
    try:
        _until(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0, process, folder / "log")
        yield f"postgresql://fsp@127.0.0.1:{port}/postgres"
    finally:
        _stop(process, signal.SIGINT)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The URL of a Redis server whose acknowledged writes are on the disk."""
    folder.mkdir()
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
               "--appendonly", "yes", "--appendfsync", "always"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until(lambda: _listens(port), process, folder / "log")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _stop(process, signal.SIGTERM)


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool(name: str) -> str:
    found = shutil.which(name)
    return found or str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))


def _unprivileged() -> int | None:
    """Whom PostgreSQL runs as when everything runs as root, which it refuses."""
    return pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
