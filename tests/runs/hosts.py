"""Two hosts share the queue of one PostgreSQL, one is cut off: `just proof-hosts`.

A host is a network namespace with a worker in it, joined to the server by a wire that can be taken down: packets are
then lost without a word, as in a real network. No run may be lost that somebody else could do, none may run twice that
may not, and the host that was cut off may write nothing when it is back.
"""

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.runs import library

from fastapi_services_platform.testing.postgres import postgres_server

_LEASE_SECONDS = 6.0
_CUT_SECONDS = 10.0
_END_SECONDS = 240.0
_CLONE_NEWNET = 0x40000000
_SLOW = library.SCRIPT.replace("time.sleep(0.05)", "time.sleep(0.4)")


@contextmanager
def host(number: int, server_port: int) -> Iterator[str]:
    """A namespace with one wire; the answer is its name. The server answers at the wire's near end."""
    name, wire, near = f"fsp-host-{number}", f"fsp-wire-{number}", f"10.77.{number}.1"
    far = f"fsp-far-{number}"
    _ip("netns", "add", name)
    forwarder = 0
    try:
        _ip("link", "add", wire, "type", "veth", "peer", "name", far)
        _ip("link", "set", far, "netns", name)
        _ip("addr", "add", f"{near}/24", "dev", wire)
        _ip("link", "set", wire, "up")
        _ip("-n", name, "addr", "add", f"10.77.{number}.2/24", "dev", far)
        _ip("-n", name, "link", "set", far, "up")
        forwarder = library.in_process(partial(_forward, near, server_port))
        yield name
    finally:
        if forwarder:
            os.kill(forwarder, signal.SIGKILL)
            os.waitpid(forwarder, 0)
        subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", wire], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


async def _forward(address: str, port: int) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back), carry(to, writer))

    async with await asyncio.start_server(serve, address, port) as server:
        await server.serve_forever()


async def _worker(place: library.Place, name: str) -> None:
    namespace = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if ctypes.CDLL(None).setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(f"cannot enter {name}")
    os.close(namespace)
    await library.work(place, name, "zygote", lease_seconds=_LEASE_SECONDS)


class _Questions:
    """Asks the server directly, not over a wire."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, statement: str) -> list[list[str]]:
        """Rows as text."""
        answer = subprocess.run(
            ["psql", self._url, "-AtF", "|", "-c", statement], check=True, capture_output=True, text=True
        )
        return [line.split("|") for line in answer.stdout.splitlines()]

    def states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return {state: int(number) for state, number in self.ask("SELECT state, count(*) FROM runs GROUP BY state")}

    def until(self, statement: str, seconds: float) -> bool:
        """Whether the statement found something in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ask(statement):
                return True
            time.sleep(0.1)
        return False


def _prove(runs: int) -> dict[str, object]:
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server(own=True))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fsp-hosts-")))
        folder.chmod(0o755)
        url = server.database("library")
        port = int(url.rpartition("/")[0].rpartition(":")[2])
        names = [stack.enter_context(host(number, port)) for number in (1, 2)]
        near = library.Place(folder, url)
        _finished(partial(library.create, near))
        _finished(partial(library.submit, near, runs, owners=40, source=_SLOW))
        places = [library.Place(folder, url.replace("127.0.0.1", f"10.77.{number}.1")) for number in (1, 2)]
        workers = [library.in_process(partial(_worker, *pair)) for pair in zip(places, names, strict=True)]
        try:
            return _watch(_Questions(url), workers)
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
                os.waitpid(worker, 0)


def _watch(rows: _Questions, workers: list[int]) -> dict[str, object]:
    cut_pid = workers[1]
    busy = (
        f"SELECT 1 FROM runs r JOIN workers w ON w.id = r.lease_owner WHERE w.pid = {cut_pid} AND r.state = 'running'"
    )
    began = rows.until(busy, _END_SECONDS)
    _ip("link", "set", "fsp-wire-2", "down")
    held = rows.ask(
        f"SELECT r.id, r.idempotent FROM runs r JOIN workers w ON w.id = r.lease_owner WHERE w.pid = {cut_pid}"
    )
    time.sleep(_CUT_SECONDS)
    behind = rows.ask("SELECT count(*) FROM runs WHERE state IN ('succeeded', 'lost')")
    _ip("link", "set", "fsp-wire-2", "up")
    done = rows.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE state IN ('queued','starting','running','collecting'))",
        _END_SECONDS,
    )
    by_host = rows.ask("SELECT runner, count(*) FROM runs GROUP BY runner")
    return {
        "both worked": began,
        "held when cut off": len(held),
        "ended while it was away": int(behind[0][0]),
        "all ended": done,
        "states": rows.states(),
        "runner": dict(by_host),
        "lost though they may be repeated": len(rows.ask("SELECT 1 FROM runs WHERE state = 'lost' AND idempotent")),
        "run twice though they may not be": len(rows.ask("SELECT 1 FROM runs WHERE NOT idempotent AND attempt > 1")),
        "failed": rows.ask("SELECT outcome, author_detail FROM runs WHERE state NOT IN ('succeeded', 'lost')"),
        "lost beyond what was held": len(rows.ask("SELECT 1 FROM runs WHERE state = 'lost'")) > len(held),
        "without its file": len(
            rows.ask(
                "SELECT 1 FROM runs r WHERE state = 'succeeded' AND "
                "(SELECT count(*) FROM run_artifacts a WHERE a.run_id = r.id) <> 1"
            )
        ),
    }


def _finished(work: "partial[Coroutine[Any, Any, None]]") -> None:  # Any: what a coroutine takes and yields
    pid = library.in_process(work)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise SystemExit(f"{work.func.__name__} failed")


def main() -> int:
    """0 when nothing was lost and nothing ran twice."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    if os.geteuid() != 0:
        print("proof-hosts: must be root, to make network namespaces", file=sys.stderr)
        return 3
    found = _prove(parser.parse_args().runs)
    print(json.dumps(found, indent=2))
    wrong = [
        not found["both worked"],
        not found["all ended"],
        found["lost though they may be repeated"],
        found["run twice though they may not be"],
        found["lost beyond what was held"],
        found["without its file"],
        found["failed"],
    ]
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    raise SystemExit(main())
