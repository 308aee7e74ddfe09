"""A Redis server for tests: the one of ``FSP_TEST_REDIS_URL``, else one started from an installed binary."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "FSP_TEST_REDIS_URL"
_START_SECONDS = 30.0


class NoRedis(RuntimeError):
    """There is neither a server nor the binary to start one."""


@contextmanager
def redis_server(folder: Path | None = None, *options: str) -> Iterator[str]:
    """The URL of a server while the block runs. With a ``folder`` every acknowledged write is on the disk there, and
    the next server finds it; without one nothing is kept.

    Raises:
        NoRedis: see the class.
    """
    running = os.environ.get(_VARIABLE)
    if running:
        yield running
        return
    binary = shutil.which("redis-server")
    if binary is None:
        raise NoRedis(f"set {_VARIABLE}, or install Redis (Debian: apt-get install redis-server)")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="fsp-redis-") as fresh:
        kept = [] if folder is None else ["--appendonly", "yes", "--appendfsync", "always"]
        arguments = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder or fresh)]
        process = subprocess.Popen([*arguments, *kept, *options], stdout=subprocess.DEVNULL)  # noqa: S603 - an installed binary
        try:
            _wait(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.02)
    raise NoRedis("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
