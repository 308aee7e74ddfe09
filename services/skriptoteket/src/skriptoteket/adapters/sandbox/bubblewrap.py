"""Cold start in bubblewrap: own user, process, network, IPC, host name and cgroup namespaces for every run.

The launcher builds the file system and drops privileges first, because bubblewrap keeps the capabilities of root.
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path

from skriptoteket.adapters.sandbox import workspace
from skriptoteket.adapters.sandbox.arguments import Descriptors, launch_plan
from skriptoteket.adapters.sandbox.host import processes
from skriptoteket.adapters.sandbox.host.cgroups import Cgroups, Group, GroupLimits, choose_cgroups, isolation_of
from skriptoteket.adapters.sandbox.host.remains import Remains, label_of
from skriptoteket.adapters.sandbox.host.seccomp import shipped_filter
from skriptoteket.adapters.sandbox.supervision import Faucet, LiveRun
from skriptoteket.adapters.sandbox.view import InterpreterView, interpreter_view
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    KillReason,
    RunSpec,
    SandboxEvent,
    SandboxFailed,
    SandboxHandle,
)

_LAUNCHER = Path(__file__).parent / "inside" / "launcher.py"
_START_SECONDS = 20.0
_MIB = 1024 * 1024
_PACKET = 64 * 1024
_OVERHEAD_PROCESSES = 2  # bubblewrap's own two; the launcher stays outside


class BubblewrapSandbox:
    """Runs each script in a fresh bubblewrap."""

    name = "bubblewrap"

    def __init__(
        self,
        state_dir: Path,
        *,
        program: str | None = None,
        packages: Path | None = None,
        slot_uids: range = range(61_000, 61_512),
        cgroups: Cgroups | None = None,
    ) -> None:
        self._program = program or shutil.which("bwrap")
        self._remains = Remains(state_dir / "sandboxes")
        self._key = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:8]
        self._view = interpreter_view(packages)
        self._uids = itertools.cycle(slot_uids)
        self._taken: dict[LiveRun, int | None] = {}
        self._cgroups = choose_cgroups() if cgroups is None else cgroups
        self._filter = shipped_filter()

    async def capabilities(self) -> Mapping[str, str]:
        """What a sandbox built here isolates; empty when none can be built."""
        if self._program is None or self._filter is None:
            return {}
        return isolation_of(self._cgroups)

    async def prepare(self, limits: Limits) -> None:
        """Nothing to do: every start is cold."""

    async def close(self) -> None:
        """Nothing is kept ready."""

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Build the sandbox, put the inputs in and release the script.

        Raises:
            SandboxFailed: with what the launcher or bubblewrap said.
        """
        if self._program is None or self._filter is None:
            raise SandboxFailed("bubblewrap or the system call filter is missing; see `skriptoteket doctor`")
        build = _Build(spec, self._group(spec), os.memfd_create("seccomp", 0))
        try:
            uid = self._next_uid()
            os.write(build.seccomp, self._filter)
            os.lseek(build.seccomp, 0, os.SEEK_SET)
            async with asyncio.timeout(_START_SECONDS):
                run = await build.run(self._program, uid, self._soft_memory, self._remains, self._view)
        except BaseException as problem:
            said = await build.abandon()
            self._remains.forget(label_of(spec.run_id, spec.attempt))
            if not isinstance(problem, OSError | TimeoutError | ValueError | SandboxFailed):
                raise
            detail = str(problem) or f"not ready within {_START_SECONDS:.0f} s"
            raise SandboxFailed(f"{detail} {said}".strip()) from problem
        self._taken[run] = uid
        run.release()
        return run

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        return _live(handle).events()

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port."""
        _live(handle).kill(reason)

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """See the port."""
        run = _live(handle)
        return await asyncio.to_thread(workspace.read_result, run.root, run.limits)

    async def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """See the port."""
        run = _live(handle)
        for found in await asyncio.to_thread(workspace.list_output, run.root, run.limits):
            yield found

    async def destroy(self, handle: SandboxHandle) -> None:
        """See the port."""
        run = _live(handle)
        await run.close()
        self._taken.pop(run, None)
        self._remains.forget(label_of(run.run_id, run.attempt))

    async def reap(self, known: Collection[RunId]) -> None:
        """See the port. What lives below this very object is never reaped."""
        mine = {str(run.run_id) for run in self._taken} | {str(one) for one in known}
        await asyncio.to_thread(self._remains.reap, mine, self._cgroups, self._key)

    @property
    def _soft_memory(self) -> bool:
        return self._cgroups.capabilities().get("memory_limit") != "hard"

    def _group(self, spec: RunSpec) -> Group:
        limits = spec.limits
        return self._cgroups.create(
            f"{self._key}-{label_of(spec.run_id, spec.attempt)}",
            GroupLimits(limits.memory_mib * _MIB, limits.processes + _OVERHEAD_PROCESSES, limits.cpu),
        )

    def _next_uid(self) -> int | None:
        if os.geteuid() != 0:
            return None
        taken = set(self._taken.values())
        return next(uid for uid in self._uids if uid not in taken)


class _Build:
    """A sandbox on its way: everything that must be given back when a step fails."""

    def __init__(self, spec: RunSpec, group: Group, seccomp: int) -> None:
        self.spec = spec
        self.group = group
        self.seccomp = seccomp
        self.control, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._out, self._far_out = os.pipe()
        self._err, self._far_err = os.pipe()
        self.launcher: subprocess.Popen[bytes] | None = None
        self.launcher_fd: int | None = None
        self.first_fd: int | None = None
        self.root: int | None = None
        self.control.setblocking(False)

    async def run(
        self, program: str, uid: int | None, soft_memory: bool, remains: Remains, view: InterpreterView
    ) -> LiveRun:
        """Every step up to the point where the entry code waits for its release."""
        launcher = self._spawn()
        self.launcher_fd = os.pidfd_open(launcher.pid)
        self.control.send(json.dumps(self._plan(program, uid, soft_memory, view)).encode())
        first, root = await self._first_and_workspace()
        remains.remember(label_of(self.spec.run_id, self.spec.attempt), first)
        self.group.add(first)
        await workspace.stage(root, self.spec)
        self.control.send(b"staged")
        if (answer := await self._answer())[0] != b"ready":
            raise SandboxFailed(answer[0].decode(errors="replace") or "bubblewrap ended before the script could start")
        limits = self.spec.limits
        return LiveRun(
            run_id=self.spec.run_id,
            attempt=self.spec.attempt,
            limits=limits,
            exit_code=launcher.wait,
            control=self.control,
            root=root,
            group=self.group,
            soft_memory=soft_memory,
            streams=(
                Faucet("stdout", self._out, limits.stream_kill_bytes),
                Faucet("stderr", self._err, limits.stream_kill_bytes),
            ),
            guard_fd=self.launcher_fd,
            first_fd=self.first_fd,
            root_pids=(first,),
        )

    async def abandon(self) -> str:
        """Give everything back; the answer is what the failed attempt printed, for the operator."""
        processes.kill_process(self.first_fd)
        processes.kill_process(self.launcher_fd)
        self.group.kill()
        await processes.until_dead(self.launcher_fd, _START_SECONDS)
        await processes.until_dead(self.first_fd, _START_SECONDS)
        if self.launcher is not None:
            self.launcher.poll()
        self._close_far_ends()
        self.control.close()
        os.set_blocking(self._err, False)
        said = ""
        with contextlib.suppress(OSError):
            said = os.read(self._err, _PACKET).decode(errors="replace").strip()
        for descriptor in (self._out, self._err, self.launcher_fd, self.first_fd, self.root):
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        await asyncio.to_thread(self.group.remove)
        return said

    def _spawn(self) -> "subprocess.Popen[bytes]":
        # Popen and not asyncio's own: the parent-death signal follows the thread that forked, which must be this one.
        handed = (self._far.fileno(), self.seccomp)
        interpreter = os.path.realpath(sys.executable)
        self.launcher = subprocess.Popen(  # noqa: S603 - fixed program, no shell
            [interpreter, "-I", "-S", "-B", str(_LAUNCHER), str(self._far.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._far_out,
            stderr=self._far_err,
            pass_fds=handed,
            env={},
            cwd="/",
            start_new_session=True,
        )
        return self.launcher

    def _plan(self, program: str, uid: int | None, soft_memory: bool, view: InterpreterView) -> dict[str, object]:
        plan = launch_plan(
            program,
            view,
            self.spec.limits,
            Descriptors(self._far.fileno(), self.seccomp),
            identity=None if uid is None else (uid, uid),
            address_space=soft_memory,
            timezone=str(self.spec.request.get("timezone") or "UTC"),
            parent=os.getpid(),
        )
        self._close_far_ends()
        return plan

    def _close_far_ends(self) -> None:
        if self._far.fileno() < 0:
            return
        self._far.close()
        for descriptor in (self._far_out, self._far_err, self.seccomp):
            os.close(descriptor)

    async def _first_and_workspace(self) -> tuple[int, int]:
        # Told by two processes, in either order.
        first: int | None = None
        while first is None or self.root is None:
            message, descriptors = await self._answer()
            told = json.loads(message) if message else {}
            if "first" in told:
                first, self.first_fd = int(told["first"]), descriptors[0]
            elif "workspace" in told:
                self.root = descriptors[0]
            else:
                raise SandboxFailed(message.decode(errors="replace") or "the launcher ended without a word")
        return first, self.root

    async def _answer(self) -> tuple[bytes, list[int]]:
        await processes.until_readable(self.control.fileno())
        message, descriptors, _, _ = socket.recv_fds(self.control, _PACKET, 1)
        return message, list(descriptors)


def _live(handle: SandboxHandle) -> LiveRun:
    if not isinstance(handle, LiveRun):
        raise TypeError(f"{type(handle).__name__} is no run of this sandbox")
    return handle
