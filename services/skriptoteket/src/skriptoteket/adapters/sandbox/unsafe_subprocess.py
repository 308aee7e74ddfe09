"""No sandbox at all: a plain child process, for writing tools on machines that can isolate nothing.

Never chosen by itself, never in production: the worker must be asked for it. It promises nothing, so every run of it is
marked; a script has the rights of whoever started the worker.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from skriptoteket.adapters.sandbox import workspace
from skriptoteket.adapters.sandbox.arguments import ENVIRONMENT
from skriptoteket.adapters.sandbox.host.cgroups import GroupLimits, NoCgroups
from skriptoteket.adapters.sandbox.host.processes import until_readable
from skriptoteket.adapters.sandbox.supervision import Faucet, LiveRun
from skriptoteket.adapters.sandbox.view import runner_folder
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    KillReason,
    RunSpec,
    SandboxEvent,
    SandboxFailed,
    SandboxHandle,
)

_START_SECONDS = 30.0
_PROCESSES = "4096"
_PREFIX = "run-"


class UnsafeSubprocess:
    """Runs each script as a child of the worker, in a folder of its own."""

    name = "unsafe"

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "unsafe"
        self._folders: dict[LiveRun, Path] = {}

    async def capabilities(self) -> Mapping[str, str]:
        """None."""
        return {}

    async def prepare(self, limits: Limits) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing is kept ready."""

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Make the folder, put the inputs in and release the script.

        Raises:
            SandboxFailed: the interpreter did not come up.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, "", f"{_PREFIX}{spec.run_id}-", str(self._folder)))
        try:
            async with asyncio.timeout(_START_SECONDS):
                run = await self._build(spec, folder)
        except BaseException as problem:
            await asyncio.to_thread(shutil.rmtree, folder, True)
            if isinstance(problem, OSError | TimeoutError):
                raise SandboxFailed(str(problem) or "the interpreter did not come up") from problem
            raise
        self._folders[run] = folder
        run.release()
        return run

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        return _live(handle).events()

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port; children that left the script's session live on."""
        run = _live(handle)
        run.kill(reason)
        _kill_session(run)

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
        _kill_session(run)
        await run.close()
        folder = self._folders.pop(run, None)
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, True)

    async def reap(self, known: Collection[RunId]) -> None:
        """Folders that a killed worker left."""
        mine = set(self._folders.values())
        for folder in self._folder.glob(f"{_PREFIX}*") if self._folder.is_dir() else ():
            if folder not in mine and not any(str(one) in folder.name for one in known):
                await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _build(self, spec: RunSpec, folder: Path) -> LiveRun:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        for name in ("stage", "stage/input", "work", "work/output"):
            os.mkdir(name, dir_fd=root)
        for name in ("script.py", "request.json", "input"):
            os.symlink(f"../stage/{name}", f"work/{name}", dir_fd=root)
        await workspace.stage(root, replace(spec, request=_here(spec.request, folder / "work")))
        control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.setblocking(False)
        out, far_out = os.pipe()
        err, far_err = os.pipe()
        try:
            process = await asyncio.to_thread(_spawn, folder / "work", far.fileno(), far_out, far_err)
        finally:
            far.close()
            os.close(far_out)
            os.close(far_err)
        guard = os.pidfd_open(process.pid)
        limits = spec.limits
        run = LiveRun(
            run_id=spec.run_id,
            attempt=spec.attempt,
            limits=limits,
            exit_code=process.wait,
            control=control,
            root=root,
            group=NoCgroups().create("", GroupLimits(0, 0, 0.0)),
            soft_memory=False,
            streams=(Faucet("stdout", out, limits.stream_kill_bytes), Faucet("stderr", err, limits.stream_kill_bytes)),
            guard_fd=guard,
            root_pids=(process.pid,),
        )
        await until_readable(control.fileno())
        if control.recv(64) != b"ready":
            await run.close()
            raise SandboxFailed("the interpreter ended before the script could start")
        return run


def _spawn(job: Path, control: int, out: int, err: int) -> "subprocess.Popen[bytes]":
    entry = [str(runner_folder() / "entrypoint.py"), str(job), str(control), _PROCESSES]
    return subprocess.Popen(  # noqa: S603 - the entry code, no shell
        [sys.executable, "-I", "-B", "-u", *entry],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        pass_fds=(control,),
        env={**ENVIRONMENT, "HOME": str(job)},
        cwd=job,
        start_new_session=True,
    )


def _here(request: Mapping[str, JsonValue], job: Path) -> dict[str, JsonValue]:
    files = request.get("files")
    if not isinstance(files, list):
        return dict(request)
    listed = [one for one in files if isinstance(one, dict)]
    moved: list[JsonValue] = [
        {**one, "path": str(one.get("path", "")).replace("/job/", f"{job}/", 1)} for one in listed
    ]
    return {**request, "files": moved}


def _kill_session(run: LiveRun) -> None:
    for leader in run.root_pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _live(handle: SandboxHandle) -> LiveRun:
    if not isinstance(handle, LiveRun):
        raise TypeError(f"{type(handle).__name__} is no run of this sandbox")
    return handle
