"""Several web processes on one port: a parent that holds the socket, starts its children and ends them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from fastapi_services_platform.observability.logger_factory import get_logger

_log = get_logger(__name__)
_LOOK_SECONDS = 0.2
_QUICK_DEATH_SECONDS = 5.0
_QUICK_DEATHS = 3
_KILL_AFTER_SECONDS = 45.0


class Workers:
    """Starts ``count`` children that accept on one port, which ``held`` keeps, and replaces one that dies. They take
    ``arguments``: what tells them where to listen.

    Children that die soon after their start, several times in a row, end the parent: what kills them will not mend
    itself.
    """

    def __init__(self, held: socket.socket, arguments: Sequence[str], count: int, target: str) -> None:
        self._held = held
        self._count = count
        self._arguments = [sys.executable, "-m", "fastapi_services_platform.cli", "run"]
        self._folder = tempfile.mkdtemp(prefix="fsp-")
        self._arguments += [*arguments, "--siblings", self._folder]
        self._arguments += ["--parent", str(os.getpid())]
        self._arguments += ["--app", target] if target else []
        self._children: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = 0
        self._quick_deaths = 0

    def run(self) -> int:
        """Supervise until a signal; the exit code is 0, or 3 when the children do not stay up."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        for _ in range(self._count):
            self._start()
        while self._children:
            time.sleep(_LOOK_SECONDS)
            for pid, (child, begun) in list(self._children.items()):
                if child.poll() is not None:
                    del self._children[pid]
                    self._ended(child, time.monotonic() - begun)
        shutil.rmtree(self._folder, ignore_errors=True)
        return 0 if self._stopping else 3

    def _start(self) -> None:
        descriptor = self._held.fileno()
        child = subprocess.Popen(self._arguments, pass_fds=(descriptor,))  # noqa: S603 - ourselves
        self._children[child.pid] = (child, time.monotonic())

    def _ended(self, child: "subprocess.Popen[bytes]", lived: float) -> None:
        if self._stopping:
            return
        _log.error("worker.ended", pid=child.pid, code=child.returncode, seconds=round(lived, 1))
        self._quick_deaths = self._quick_deaths + 1 if lived < _QUICK_DEATH_SECONDS else 0
        if self._quick_deaths >= _QUICK_DEATHS:
            self._stopping = 0
            self._signal_all(signal.SIGTERM)
            return
        self._start()

    def _stop(self, sign: int, _frame: object) -> None:
        self._stopping += 1
        self._signal_all(signal.SIGTERM if self._stopping == 1 else signal.SIGKILL)
        if self._stopping == 1:
            signal.signal(signal.SIGALRM, lambda *_: self._signal_all(signal.SIGKILL))
            signal.setitimer(signal.ITIMER_REAL, _KILL_AFTER_SECONDS)

    def _signal_all(self, sign: signal.Signals) -> None:
        for child, _ in self._children.values():
            if child.poll() is None:
                child.send_signal(sign)


def adopt_socket(descriptor: int) -> socket.socket:
    """The listening socket that the parent handed over."""
    return socket.socket(fileno=descriptor)
