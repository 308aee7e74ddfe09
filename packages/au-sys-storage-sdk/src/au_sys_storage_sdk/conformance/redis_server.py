"""A Redis server for tests: the one of ``FSP_TEST_REDIS_URL``, else one started on a socket in a folder."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotThere


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a running server; every acknowledged write is on its disk."""
    running = os.environ.get("FSP_TEST_REDIS_URL")  # factory: allow A14 -- names the server of a test run
    if running:
        yield running
        return
    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "",
               "--appendonly", "yes", "--appendfsync", "always", *options]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - an installed binary, arguments of ours
        try:
            _wait(f"unix://{socket}", server)
            yield f"redis+unix://{socket}"
        finally:
            server.terminate()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    client = Redis.from_url(url)
    ends = time.monotonic() + 10
    while server.poll() is None and time.monotonic() < ends:
        try:
            client.ping()
        except NotThere:
            time.sleep(0.02)
        else:
            client.close()
            return
    raise RuntimeError("redis-server did not start")
