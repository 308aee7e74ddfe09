"""Identity against fastapi-users in the same run: logins, answers during a login storm, authenticated requests.

Both as shipped, alternately, medians of the rounds; the hash settings are printed. fastapi-users comes from PyPI into
an environment of its own. Exit code 1 when a ratio that must hold does not.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from client import Connection

HERE = Path(__file__).parent
ROUNDS = 3
LOGIN_SECONDS = 4.0
STORM_SECONDS = 4.0
REQUESTS = 1500
PEOPLE = 8
PASSWORD = "correct horse battery staple"
_PEER = ["fastapi-users[sqlalchemy]>=14", "aiosqlite", "uvicorn", "uvloop", "httptools"]


@dataclass
class Server:
    """A running server and what was measured of it."""

    name: str
    port: int
    pid: int
    start: float
    token: str = ""
    logins: list[float] = field(default_factory=list)
    storm_ms: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)

    def resident(self) -> float:
        """Megabytes of the process that serves."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise LookupError("VmRSS")


@contextmanager
def running(name: str, command: list[str], data: Path) -> Iterator[Server]:
    """Serve ``<name>:app`` until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    uvicorn = ["-m", "uvicorn", f"{name}:app", "--factory", "--port", str(port), "--log-level", "critical"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("FSP_", "IDENTITY_"))}
    environment |= {"BENCH_DATA": str(data), "PYTHONPATH": str(HERE)}
    environment |= {"IDENTITY_REGISTRATION": "open", "IDENTITY_REGISTRATION_VERIFY": "off"}
    began = time.perf_counter()
    with (data / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*command, *uvicorn], env=environment, cwd=HERE, stdout=log, stderr=log)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError((data / f"{name}.log").read_text()[-3000:]) from None
                time.sleep(0.01)
        yield Server(name, port, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def prepare(server: Server) -> None:
    """Make the people, and sign the first one in."""
    connection = Connection(server.port)
    for number in range(PEOPLE):
        if connection.register(f"person{number}@example.org", PASSWORD) not in (201, 202):
            raise RuntimeError(f"{server.name}: registration failed")
    status, server.token = connection.login("person0@example.org", PASSWORD)
    if status != 200 or connection.call("GET", "/users/me", token=server.token)[0] != 200:
        raise RuntimeError(f"{server.name}: the token does not work")
    connection.close()


def sign_in_until(server: Server, number: int, stop: threading.Event, done: list[int]) -> None:
    """One client that signs in without pause."""
    connection = Connection(server.port)
    while not stop.is_set():
        status, _ = connection.login(f"person{number}@example.org", PASSWORD)
        if status != 200:
            raise RuntimeError(f"{server.name}: a sign-in was answered with {status}")
        done.append(number)
    connection.close()


@contextmanager
def storm(server: Server, clients: int) -> Iterator[list[int]]:
    """Clients that sign in while the block runs; the list grows with each success."""
    stop, done = threading.Event(), list[int]()
    threads = [threading.Thread(target=sign_in_until, args=(server, n, stop, done)) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def measure_logins(server: Server) -> None:
    """Sign-ins per second of eight clients."""
    with storm(server, PEOPLE) as done:
        time.sleep(0.5)
        before, began = len(done), time.perf_counter()
        time.sleep(LOGIN_SECONDS)
        server.logins.append((len(done) - before) / (time.perf_counter() - began))


def measure_storm(server: Server) -> None:
    """95th percentile of ``GET /users/me`` while four clients sign in without pause."""
    connection, times = Connection(server.port), list[float]()
    with storm(server, 4):
        ends = time.perf_counter() + STORM_SECONDS
        while time.perf_counter() < ends:
            began = time.perf_counter()
            connection.call("GET", "/users/me", token=server.token)
            times.append((time.perf_counter() - began) * 1000)
    connection.close()
    server.storm_ms.append(sorted(times)[int(len(times) * 0.95)])


def measure_requests(server: Server) -> None:
    """Authenticated requests per second on one connection."""
    connection = Connection(server.port)
    for _ in range(200):
        connection.call("GET", "/users/me", token=server.token)
    began = time.perf_counter()
    for _ in range(REQUESTS):
        connection.call("GET", "/users/me", token=server.token)
    server.requests.append(REQUESTS / (time.perf_counter() - began))
    connection.close()


def report(ours: Server, peer: Server) -> int:
    """Print the table; how many gates were missed."""
    median = statistics.median
    rows = [
        ("B1 logins per second", median(ours.logins), median(peer.logins), 15.0, "times more"),
        ("B2 p95 of /users/me in a storm, ms", median(ours.storm_ms), median(peer.storm_ms), 10.0, "times lower"),
        ("B3 /users/me per second", median(ours.requests), median(peer.requests), 3.0, "times more"),
        ("B10 resident MB afterwards", ours.resident(), peer.resident(), 1.8, "times at most"),
    ]
    missed = 0
    print(f"{'':38}{'identity':>10}{'peer':>10}{'ratio':>9}  must be")
    for name, mine, theirs, gate, meaning in rows:
        ratio = theirs / mine if meaning == "times lower" else mine / theirs
        held = ratio <= gate if meaning == "times at most" else ratio >= gate
        missed += not held
        print(f"{name:38}{mine:10.1f}{theirs:10.1f}{ratio:9.2f}  {gate:g} {meaning}{'' if held else '   MISSED'}")
    print(f"{'start to the first connection, s':38}{ours.start:10.2f}{peer.start:10.2f}")
    print("identity: argon2id 19 MiB t=2 p=1 off the loop; peer: pwdlib's argon2id 64 MiB t=3 p=4 on the loop")
    return missed


def main() -> int:
    """Exit code 0 when every gate holds."""
    uv = shutil.which("uv")
    if uv is None:
        print("bench: uv is missing, the peer cannot be installed", file=sys.stderr)
        return 1
    environment = Path(tempfile.mkdtemp(prefix="fsp-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, environment, ignore_errors=True)
        subprocess.run([uv, "venv", "-q", str(environment / "peer")], check=True)
        python = str(environment / "peer" / "bin" / "python")
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *_PEER], check=True)
        peer = stack.enter_context(running("peer", [python], environment))
        ours = stack.enter_context(running("product", [sys.executable], environment))
        for server in (ours, peer):
            prepare(server)
        for _ in range(ROUNDS):
            for measure in (measure_requests, measure_logins, measure_storm):
                for server in (ours, peer):
                    measure(server)
        return 1 if report(ours, peer) else 0


if __name__ == "__main__":
    raise SystemExit(main())
