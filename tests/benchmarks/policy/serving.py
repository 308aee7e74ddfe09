"""What the engine gives over HTTP: one question, ten thousand at once, and a change that another process follows.

``python tests/benchmarks/policy/serving.py`` prints the table alone; ``just bench policy`` prints it with the engine's.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.benchmarks.identity.client import Connection
from tests.benchmarks.policy.graph import Figure

from fastapi_services_platform.testing.postgres import NoPostgres, postgres_server

ROOT = Path(__file__).resolve().parents[3]
PASSWORD, BOOTSTRAP = "correct horse battery staple", "the benchmark's own bootstrap token"
PEOPLE, AT_ONCE, RULES = 8, 10_000, 5_000
_ROOM = "100000000/minute"
_SETTINGS = {f"IDENTITY_RATE_{kind}": _ROOM for kind in ("SIGN_IN", "MAIL", "DEFAULT")} | {
    "IDENTITY_REGISTRATION": "open",
    "IDENTITY_REGISTRATION_VERIFY": "off",
    "IDENTITY_BOOTSTRAP_TOKEN": BOOTSTRAP,
    "IDENTITY_PASSWORD_MEMORY_KIB": "8",
    "IDENTITY_STEP_UP_MAX_AGE": "3600",
}


@contextmanager
def serving(folder: Path, database: str = "") -> Iterator[int]:
    """One worker until the block ends; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "IDENTITY_"))}
    environment = {**kept, **_SETTINGS, "BENCH_DATA": str(folder), "BENCH_DATABASE": database, "PYTHONPATH": str(ROOT)}
    application = ["tests.benchmarks.policy.served:app", "--factory", "--port", str(port), "--log-level", "error"]
    with (folder / f"{port}.log").open("wb") as log:
        command = [sys.executable, "-m", "uvicorn", *application]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        _until_answered(port, process, folder / f"{port}.log")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _until_answered(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        with suppress(OSError):
            connection = Connection(port)
            answered = connection.call("GET", "/openapi.json")[0] in (200, 401)
            connection.close()
            if answered:
                return
        time.sleep(0.02)
    raise RuntimeError(log.read_text()[-3000:])


def administrator(connection: Connection) -> str:
    """The token of one, made when there is none."""
    admin = {"email": "root@example.org", "password": PASSWORD}
    connection.json("POST", "/auth/register", {**admin, "bootstrap_token": BOOTSTRAP})
    return str(connection.login(admin["email"], PASSWORD)[1]["access_token"])


def person(connection: Connection, email: str) -> tuple[str, str]:
    """The URN and the token of somebody new."""
    connection.register(email, PASSWORD)
    token = str(connection.login(email, PASSWORD)[1]["access_token"])
    return str(connection.json("GET", "/users/me", {}, token)[1]["urn"]), token


def asked(port: int) -> list[Figure]:
    """One question against a constant, alternately, and many in one request."""
    connection = Connection(port)
    token = administrator(connection)
    question = {"resource": "/identity/users/", "action": "read"}
    body = json.dumps(question).encode()

    def once(path: str) -> float:
        began = time.perf_counter()
        status, _ = connection.call("POST", path, body, "application/json", token)
        if status != 200:
            raise RuntimeError(f"{path} was answered with {status}")
        return time.perf_counter() - began

    times: dict[str, list[float]] = {"/rbac/check": [], "/constant": []}
    for turn in range(2000):
        for path, found in times.items():
            spent = once(path)
            if turn >= 200:
                found.append(spent)
    check, constant = (statistics.median(found) * 1e6 for found in times.values())
    rate = max(_many(connection, token))
    connection.close()
    return [
        Figure("an authenticated route returning a constant, p50", constant, "µs"),
        Figure("POST /rbac/check, p50", check, "µs"),
        Figure("B6 the one against the other", check / constant, "x", 1.25),
        Figure("batch over HTTP, one worker, decisions per second / 1000", rate / 1000, "k/s", at_least=200),
    ]


def _many(connection: Connection, token: str) -> list[float]:
    """Decisions per second of each request, about people who exist and rules of which a few fit."""
    urns = [person(connection, f"person{number}@example.org")[0] for number in range(PEOPLE)]
    rules = [
        {"subject": urns[number % PEOPLE], "resource": f"/things/{number}/:part", "action": "read|write"}
        for number in range(RULES)
    ]
    status, told = connection.json("POST", "/rbac/policies/bulk", {"mode": "add", "policies": rules}, token)
    if status != 200:
        raise RuntimeError(f"the rules were answered with {status}: {told}")
    questions = [
        {"subject": urns[number % PEOPLE], "resource": f"/things/{number * 7 % RULES}/leaf", "action": "read"}
        for number in range(AT_ONCE)
    ]
    body = json.dumps({"questions": questions}).encode()
    rates = []
    for _ in range(15):
        began = time.perf_counter()
        status, answer = connection.call("POST", "/rbac/check:batch", body, "application/json", token)
        rates.append(AT_ONCE / (time.perf_counter() - began))
        allowed = json.loads(answer)["allowed"] if status == 200 else []
        if len(allowed) != AT_ONCE or not 0 < sum(allowed) < AT_ONCE:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
    return rates


def _changed(connection: Connection, method: str, rule: dict[str, str], token: str) -> float:
    """When a change was answered; 503 on a loaded machine is not yet an answer."""
    for _ in range(20):
        status, told = connection.json(method, "/rbac/policies", rule, token)
        if status in (200, 201, 204):
            return time.perf_counter()
        if status != 503:
            break
    raise RuntimeError(f"a change was answered with {status}: {told}")


def followed(name: str, ports: tuple[int, int], rounds: int = 100) -> list[Figure]:
    """From the answer to a change to the first answer of the other process that knows it."""
    here, there = (Connection(port) for port in ports)
    token = administrator(here)
    urn, theirs = person(here, "follower@example.org")
    rule = {"subject": urn, "resource": "/followed/it", "action": "look"}
    question = {"resource": "/followed/it", "action": "look"}
    there.json("POST", "/rbac/check", question, token)
    waits = []
    for _ in range(rounds):
        for method, allowed in (("POST", True), ("DELETE", False)):
            began = _changed(here, method, rule, token)
            while there.json("POST", "/rbac/check", question, theirs)[1].get("allowed") is not allowed:
                if time.perf_counter() - began > 10:
                    raise RuntimeError("the other process never knew")
            waits.append((time.perf_counter() - began) * 1000)
    for connection in (here, there):
        connection.close()
    waits.sort()
    return [
        Figure(f"write to effective in another process, {name}, p50", waits[len(waits) // 2], "ms"),
        Figure(f"write to effective in another process, {name}, p99", waits[int(len(waits) * 0.99)], "ms", 100),
    ]


def figures() -> Iterator[Figure]:
    """All of it: two processes on one SQLite file, and two on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="fsp-policy-") as name, ExitStack() as stack:
        folder = Path(name)
        first = stack.enter_context(serving(folder))
        yield from asked(first)
        yield from followed("SQLite", (first, stack.enter_context(serving(folder))))
    with tempfile.TemporaryDirectory(prefix="fsp-policy-") as name, ExitStack() as stack:
        try:
            database = stack.enter_context(postgres_server()).database("policy")
        except NoPostgres:
            yield Figure("write to effective, PostgreSQL: no server here", float("nan"), "ms", 100)
            return
        first = stack.enter_context(serving(Path(name), database))
        yield from followed("PostgreSQL", (first, stack.enter_context(serving(Path(name), database))))


if __name__ == "__main__":
    missed = 0
    for line in figures():
        print(line, flush=True)
        missed += not line.met
    sys.exit(1 if missed else 0)
