"""The warm process as its worker holds it: started, asked for slots, ended."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from skriptoteket.adapters.sandbox.host import processes
from skriptoteket.adapters.sandbox.inside import kernel
from skriptoteket.adapters.sandbox.slots import Doors
from skriptoteket.adapters.sandbox.view import interpreter_view
from skriptoteket.core.runs.sandbox import SandboxFailed

INSIDE = Path(__file__).parent / "inside"
INSIDE_AT = "/inside/skriptoteket/adapters/sandbox/inside"
"""Where a zygote finds its own code: in the worker's view, and in its own."""


class ZygoteProcess:
    """The process; retired after a while, because all its forks share one address layout."""

    def __init__(self) -> None:
        self.control, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.spaces, self._far_spaces = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for near in (self.control, self.spaces):
            near.setblocking(False)
        self.process: subprocess.Popen[bytes] | None = None
        self.born = time.monotonic()
        self.forks = 0
        self.live = 0
        self.retired = False

    async def start(self, plan: Mapping[str, object], modules: Sequence[str], log: int, uids: range | None) -> int:
        """Become warm; the answer is the address space in MiB that every fork begins with.

        ``uids`` are the users of its slots, which only root can lend to it.
        """
        far = (self._far.fileno(), self._far_spaces.fileno())
        # From the loop's thread: the parent-death signal follows the thread that forked.
        self.process = subprocess.Popen(  # noqa: ASYNC220, S603 - forks for a millisecond, fixed program, no shell
            [interpreter_view().program, "-I", "-S", "-B", str(INSIDE / "zygote_root.py"), str(self._far.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=far,
            env={},
            cwd="/",
            start_new_session=True,
        )
        argv = [interpreter_view().program, "-I", "-S", "-B", "-u", f"{INSIDE_AT}/zygote.py", *map(str, far)]
        self.control.send(json.dumps({**plan, "argv": argv, "parent": os.getpid()}).encode())
        self.control.send(json.dumps({"modules": list(modules), "mapped_by_worker": uids is not None}).encode())
        self._close_far_ends()
        answer = await self._hear()
        if uids is not None and answer == b"unshared":
            kernel.map_user(self.process.pid, (uids[0], uids[0]), (uids[0], uids[0]), len(uids))
            self.control.send(b"mapped")
            answer = await self._hear()
        if answer != b"warm":
            raise SandboxFailed(answer.decode(errors="replace") or "the zygote ended without a word")
        return processes.address_space_mib(self.process.pid)

    @property
    def doors(self) -> Doors:
        """Where slots are asked for."""
        return Doors(self.control, self.spaces)

    @property
    def alive(self) -> bool:
        """False once the process ended."""
        return self.process is not None and self.process.poll() is None

    def close(self) -> None:
        """End the process; its slots die with it."""
        self.control.close()
        self.spaces.close()
        self._close_far_ends()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    async def _hear(self) -> bytes:
        await processes.until_readable(self.control.fileno())
        return self.control.recv(4096)

    def _close_far_ends(self) -> None:
        self._far.close()
        self._far_spaces.close()
