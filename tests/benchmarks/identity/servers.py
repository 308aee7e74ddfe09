"""Start the two servers: the product as ``fsp run`` does and the application of fastapi-users' documentation on
uvicorn, each alone.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from client import Connection

HERE = Path(__file__).parent
PASSWORD = "correct horse battery staple"
_SERVED = {
    "product": "fastapi_services_platform.cli run --app",
    "peer": "uvicorn --factory --log-level critical",
}
_PEER = ["fastapi-users[sqlalchemy]>=14", "aiosqlite", "uvicorn", "uvloop", "httptools"]
BOOTSTRAP = "the benchmark's own bootstrap token"
_ROOM = "100000000/minute"  # limits of volume would count this machine as one network


@dataclass
class Server:
    """A running server and what was measured of it."""

    name: str
    port: int
    pid: int
    start: float
    start_cpu: float
    token: str = ""
    refresh: str = ""
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, value: float) -> None:
        """Keep one measurement."""
        self.figures.setdefault(what, []).append(value)

    def resident(self, row: str = "VmRSS") -> float:
        """Megabytes of the process that serves; ``VmHWM``: the most it ever had."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{row}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(row)

    def forget_peak(self) -> None:
        """``VmHWM`` begins anew at what is resident now (man 5 proc, clear_refs)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far, in itself and for itself."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peer_python(folder: Path) -> str:
    """An environment of its own with fastapi-users from the index; ``BENCH_PEER`` names one that is there already."""
    given = os.environ.get("BENCH_PEER")
    if given:
        return given
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(folder / "peer")], check=True)
    python = str(folder / "peer" / "bin" / "python")
    subprocess.run(["uv", "pip", "install", "-q", "--python", python, *_PEER], check=True)
    return python


def product_python(folder: Path) -> str:
    """An environment of its own as well, with what the product's wheel asks for and no tool of its developers: those
    would be imported by libraries that find them.
    """
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder / "product")}
    command = ["uv", "sync", "-q", "--locked", "--no-dev", "--package", "au-sys-identity", "--python", sys.executable]
    subprocess.run(command, check=True, cwd=HERE, env=environment)
    return str(folder / "product" / "bin" / "python")


@contextmanager
def running(name: str, python: str, data: Path) -> Iterator[Server]:
    """Serve ``<name>:app`` until the block ends; its start is the time to the first 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("FSP_", "IDENTITY_"))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled by the first start, in a place of its own
    environment["PYTHONPYCACHEPREFIX"] = str(data.parent / "bytecode")
    environment |= {"BENCH_DATA": str(data), "PYTHONPATH": os.pathsep.join([str(HERE), *_inherited()])}
    environment |= {"IDENTITY_REGISTRATION": "open", "IDENTITY_REGISTRATION_VERIFY": "off"}
    environment["IDENTITY_BOOTSTRAP_TOKEN"] = BOOTSTRAP
    environment |= {f"IDENTITY_RATE_{kind}": _ROOM for kind in ("SIGN_IN", "MAIL", "DEFAULT")}
    command = [python, "-m", *_SERVED[name].split(), f"{name}:app", "--port", str(port)]
    data.mkdir(exist_ok=True)
    began = time.perf_counter()
    with (data / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=HERE, stdout=log, stderr=log)
    try:
        _until_answered(port, process, data / f"{name}.log")
        yield Server(name, port, process.pid, time.perf_counter() - began, cpu_seconds(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def prepare(server: Server, people: int) -> None:
    """Make the people, and sign the first one in."""
    connection = Connection(server.port)
    for number in range(people):
        status = connection.register(f"person{number}@example.org", PASSWORD)
        if status not in (201, 202, 400):  # 400: the peer says that the person is there already
            raise RuntimeError(f"{server.name}: registration failed with {status}")
    sign_in(server, connection)
    connection.close()


def sign_in(server: Server, connection: Connection, number: int = 0) -> None:
    """Keep the tokens of a person on the server's record."""
    status, answer = connection.login(f"person{number}@example.org", PASSWORD)
    server.token, server.refresh = str(answer.get("access_token", "")), str(answer.get("refresh_token", ""))
    if status != 200 or connection.call("GET", "/users/me", token=server.token)[0] != 200:
        raise RuntimeError(f"{server.name}: the token does not work ({status})")


def _inherited() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]


def _until_answered(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    while process.poll() is None:
        try:
            connection = Connection(port)
            if connection.call("GET", "/openapi.json")[0] in (200, 401):
                connection.close()
                return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(log.read_text()[-3000:])
