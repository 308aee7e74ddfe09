"""A Unix datagram socket in the state directory that wakes the worker; run ids as hints only, never data."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skriptoteket.core.identifiers import RunId

_NAME = "worker.sock"
_LONGEST = 64


class UnixDoorbell:
    """The side that rings."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    async def ring(self, run_id: RunId) -> None:
        """Wake the worker of this host; when nobody listens, its poll finds the run a second later."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.setblocking(False)
            with _short_path(self._state_dir) as path:
                bell.sendto(str(run_id).encode(), path)


class DoorbellListener:
    """The side that hears. One per state directory."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = state_dir / _NAME
        self._rung = asyncio.Event()
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _short_path(state_dir) as path:
            self._socket.bind(path)
        self._path.chmod(0o700)
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    async def wait(self, seconds: float) -> None:
        """Until somebody rings, at most ``seconds``."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()

    def ring(self) -> None:
        """Wake whoever waits, from inside the worker."""
        self._rung.set()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _hear(self) -> None:
        with suppress(OSError):
            while self._socket.recv(_LONGEST):
                self._rung.set()


@contextmanager
def _short_path(state_dir: Path) -> Iterator[str]:
    # A Unix socket's path may have 107 bytes; through the folder's descriptor every state directory fits.
    folder = os.open(state_dir, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{_NAME}"
    finally:
        os.close(folder)
