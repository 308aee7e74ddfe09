"""Slots of a zygote: processes in fresh namespaces that wait, sealed, for one script each."""

import asyncio
import contextlib
import json
import os
import select
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from skriptoteket.adapters.sandbox.host import processes
from skriptoteket.adapters.sandbox.host.cgroups import Group
from skriptoteket.adapters.sandbox.inside import kernel
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import SandboxFailed

_MIB = 1024 * 1024
_PACKET = 1 << 16
_OWN_PROCESSES = 1
_DEATH_SECONDS = 10.0

_SPACES = 6

Shape = tuple[int, ...]


def shape_of(limits: Limits) -> Shape:
    """The limits that a slot is built with; slots of one shape are interchangeable."""
    return (
        limits.memory_mib, int(limits.cpu * 1000), limits.processes, limits.workspace_mib, limits.tmp_mib,
        limits.shm_mib, limits.inodes, limits.file_mib, limits.open_files,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doors:
    """Where slots are asked for: namespaces at one, the script's process at the other."""

    zygote: socket.socket
    spaces: socket.socket


@dataclass(eq=False, slots=True)
class Slot:
    """A slot on its way, waiting, or in use. ``uid`` is its user on the host, ``None`` when it is the worker's own."""

    label: str
    limits: Limits
    uid: int | None
    group: Group
    address_space_mib: int | None
    control: socket.socket = field(init=False)
    out: int = field(init=False)
    err: int = field(init=False)
    status: int = field(init=False)
    root: int | None = None
    guard_fd: int | None = None
    first_fd: int | None = None
    pid: int | None = None
    script_pid: int | None = None
    _far: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setblocking(False)
        self.out, out = os.pipe()
        self.err, err = os.pipe()
        self.status, status = os.pipe()
        os.set_blocking(self.status, False)
        self._far = [far.detach(), out, err, status]

    async def build(self, doors: Doors, remember: Callable[[str, int], None]) -> None:
        """Every step until the entry code waits for its release.

        Raises:
            SandboxFailed: with what the slot said.
        """
        spaces = await self._make_spaces(doors.spaces)
        groups: list[int] = []
        try:
            self.pid = processes.pid_of(self.first_fd)
            remember(self.label, self.pid)
            groups = self.group.doors()
            handed = [*self._far, *spaces, *groups]
            socket.send_fds(doors.zygote, [json.dumps(self._plan()).encode()], handed)
        finally:
            for descriptor in (*spaces, *groups, *self._far):
                os.close(descriptor)
            self._far = []
        # Told by two processes, in either order.
        ready = False
        while self.guard_fd is None or not ready:
            said, given = await _hear(self.control, 1)
            if given:
                (self.guard_fd,), self.script_pid = given, int(json.loads(said)["pid"])
            elif said == b"ready":
                ready = True
            else:
                raise SandboxFailed(_error_of(said))

    async def _make_spaces(self, maker: socket.socket) -> list[int]:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with near:
            near.setblocking(False)
            with far:
                handed = [far.fileno()]
                if self.uid is not None:
                    # Made by root here: a workspace made inside could not take files from the host's root.
                    root = self.root = kernel.make_workspace(self.limits.workspace_mib * _MIB, self.limits.inodes)
                    kernel.make_folders(root, self.uid, self.uid)
                    handed.append(root)
                socket.send_fds(maker, [json.dumps(self._plan()).encode()], handed)
            said, given = await _hear(near, _SPACES + 2)
            if not given:
                raise SandboxFailed(_error_of(said))
        self.first_fd, *spaces = given
        if self.root is None:
            self.root = spaces.pop()
        return spaces

    @property
    def alive(self) -> bool:
        """False once the outer process ended."""
        return self.guard_fd is not None and not select.select([self.guard_fd], [], [], 0)[0]

    def exit_code(self) -> int | None:
        """How the script ended, negative for a signal; ``None`` when its slot was killed before it did."""
        try:
            return int(struct.unpack("=i", os.read(self.status, 4))[0])
        except (BlockingIOError, struct.error):
            return None

    async def close(self) -> None:
        """Kill what lives and give everything back. Not for a slot that became a run."""
        processes.kill_process(self.first_fd)
        processes.kill_process(self.guard_fd)
        self.group.kill()
        await processes.until_dead(self.guard_fd, _DEATH_SECONDS)
        await processes.until_dead(self.first_fd, _DEATH_SECONDS)
        self.control.close()
        for descriptor in (self.out, self.err, self.status, self.root, self.guard_fd, self.first_fd, *self._far):
            if descriptor is not None:
                os.close(descriptor)
        if not self.group.removed():
            await asyncio.to_thread(self.group.remove)

    def _plan(self) -> dict[str, object]:
        limits = self.limits
        rlimits = {
            "RLIMIT_FSIZE": limits.file_mib * _MIB,
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 64 * 1024,
        }
        if self.address_space_mib is not None:
            rlimits["RLIMIT_AS"] = self.address_space_mib * _MIB
        return {
            "uid": self.uid,
            "workspace_bytes": limits.workspace_mib * _MIB,
            "inodes": limits.inodes,
            "tmp_bytes": limits.tmp_mib * _MIB,
            "shm_bytes": limits.shm_mib * _MIB,
            "processes": limits.processes + _OWN_PROCESSES,
            "rlimits": rlimits,
        }


async def _hear(line: socket.socket, descriptors: int) -> tuple[bytes, list[int]]:
    await processes.until_readable(line.fileno())
    message, given, _, _ = socket.recv_fds(line, _PACKET, descriptors)
    if not message:
        raise SandboxFailed("the slot ended without a word")
    return message, list(given)


def _error_of(message: bytes) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(message).get("error"))
    return f"the slot said {message[:64]!r}"
