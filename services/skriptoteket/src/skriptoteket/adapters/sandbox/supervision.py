"""One live run: its streams, its deadline, its end. Nothing here knows how the run was isolated."""

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

from skriptoteket.adapters.sandbox import workspace
from skriptoteket.adapters.sandbox.host import processes
from skriptoteket.adapters.sandbox.host.cgroups import Group
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits, Usage
from skriptoteket.core.runs.sandbox import Exited, KillReason, Printed, Progressed, SandboxEvent, Started

_CHUNK = 64 * 1024
_MIB = 1024 * 1024
_DEATH_SECONDS = 10.0
_MEMORY_POLL_SECONDS = 0.2
_SIGKILL = 9
_SIGXFSZ = 25
_SIGNALLED = 128


class Faucet:
    """The worker's end of a stdout or stderr pipe; counts, passes on, never waits."""

    def __init__(self, name: Literal["stdout", "stderr"], descriptor: int, cap: int) -> None:
        self.name = name
        self.total = 0
        self._descriptor = descriptor
        self._cap = cap
        self._open = True
        os.set_blocking(descriptor, False)

    def read(self) -> bytes | None:
        """What is there now; ``None`` when nothing is, or the other end is closed."""
        if not self._open:
            return None
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.close()
            return None
        self.total += len(data)
        return data

    @property
    def over(self) -> bool:
        """True when more came out than may ever come out."""
        return self.total > self._cap

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back whenever there is something to read."""
        asyncio.get_running_loop().add_reader(self._descriptor, callback)

    def close(self) -> None:
        """Stop listening and close; idempotent."""
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)


@dataclass(eq=False, slots=True)
class LiveRun:
    """A sandbox with a script in it, from release to the last process's death.

    ``guard_fd`` is the outermost process, whose end is the end of the run; ``first_fd`` is the first process of the
    namespace, whose end takes all others with it. ``exit_code`` answers once both are dead: negative for a signal.
    """

    run_id: RunId
    attempt: int
    limits: Limits
    exit_code: Callable[[], int | None]
    control: socket.socket
    root: int
    group: Group
    soft_memory: bool
    streams: tuple[Faucet, Faucet]
    guard_fd: int | None
    first_fd: int | None = None
    root_pids: tuple[int, ...] = ()
    reason: KillReason | None = None
    destroyed: bool = False
    _events: "asyncio.Queue[SandboxEvent]" = field(default_factory=asyncio.Queue)
    _task: "asyncio.Task[None] | None" = None
    _released: float = 0.0
    _progress: tuple[float, int] = (0.0, 0)
    _peak_mib: float | None = None

    def release(self) -> None:
        """Let the script go; the deadline counts from here."""
        self._released = time.monotonic()
        self._events.put_nowait(Started())
        for stream in self.streams:
            stream.listen(lambda stream=stream: self._pour(stream))  # type: ignore[misc]  # a default binds the loop's value
        asyncio.get_running_loop().add_reader(self.control, self._hear)
        self.control.send(b"go")
        self._task = asyncio.create_task(self._supervise(), name=f"run {self.run_id}")

    def kill(self, reason: KillReason) -> None:
        """SIGKILL to the first process of the namespace, which takes all others with it; the first reason wins."""
        if self.reason is None:
            self.reason = reason
        processes.kill_process(self.first_fd)
        processes.kill_process(self.guard_fd)
        self.group.kill()

    async def events(self) -> AsyncIterator[SandboxEvent]:
        """Everything that happens, ending with ``Exited``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Exited):
                return

    async def dead(self) -> bool:
        """True once every process is gone; SIGKILLs what is left."""
        processes.kill_process(self.first_fd)
        processes.kill_process(self.guard_fd)
        self.group.kill()
        gone = await processes.until_dead(self.guard_fd, _DEATH_SECONDS)
        return await processes.until_dead(self.first_fd, _DEATH_SECONDS) and gone

    async def close(self) -> None:
        """End everything and give every descriptor back; idempotent."""
        if self.destroyed:
            return
        self.destroyed = True
        if self._task is not None:
            self.kill("fenced")
            await asyncio.wait({self._task}, timeout=_DEATH_SECONDS)
        await self.dead()
        asyncio.get_running_loop().remove_reader(self.control)
        self.control.close()
        for stream in self.streams:
            stream.close()
        for descriptor in (self.root, self.guard_fd, self.first_fd):
            if descriptor is not None:
                os.close(descriptor)
        if not self.group.removed():
            await asyncio.to_thread(self.group.remove)

    async def _supervise(self) -> None:
        deadline = self._released + self.limits.wall_seconds
        while not await processes.until_dead(self.guard_fd, self._pause(deadline)):
            if time.monotonic() >= deadline:
                self.kill("timeout")
            elif self.soft_memory:
                await self._weigh()
        wall = time.monotonic() - self._released
        gone = await self.dead()
        code = self.exit_code() if gone else None
        self._drain()
        self._events.put_nowait(self._ended(code, wall, gone))

    def _pause(self, deadline: float) -> float:
        left = max(0.0, deadline - time.monotonic())
        if self.reason is not None:
            return _DEATH_SECONDS
        return min(left, _MEMORY_POLL_SECONDS) if self.soft_memory else left

    async def _weigh(self) -> None:
        if not self.root_pids:
            return
        used = await asyncio.to_thread(processes.memory_in_use_mib, self.root_pids)
        facts = os.fstatvfs(self.root)
        used += (facts.f_blocks - facts.f_bfree) * facts.f_frsize / _MIB
        self._peak_mib = max(used, self._peak_mib or 0.0)
        if used > self.limits.memory_mib:
            self.kill("out_of_memory")

    def _pour(self, stream: Faucet) -> None:
        data = stream.read()
        if data is None:
            return
        if stream.over:
            stream.close()
            self.kill("output_limit")
            return
        self._events.put_nowait(Printed(stream.name, data))

    def _drain(self) -> None:
        # All writers are dead: what the pipes still hold is bounded, and nothing can add to it.
        for stream in self.streams:
            while (data := stream.read()) is not None:
                if not stream.over:
                    self._events.put_nowait(Printed(stream.name, data))
            if stream.over and self.reason is None:
                self.reason = "output_limit"

    def _hear(self) -> None:
        try:
            record = self.control.recv(self.limits.progress_bytes + 1)
        except BlockingIOError:
            return
        except OSError:
            record = b""
        if not record:
            asyncio.get_running_loop().remove_reader(self.control)
            return
        progress = self._accept(record)
        if progress is not None:
            self._events.put_nowait(progress)

    def _rest(self, seconds: float) -> None:
        # Not even read for a while: a flood then fills the script's own socket and costs this process nothing.
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.control)
        loop.call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        if self.control.fileno() >= 0 and not self.destroyed:
            asyncio.get_running_loop().add_reader(self.control, self._hear)

    def _accept(self, record: bytes) -> Progressed | None:
        second, count = self._progress
        now = time.monotonic()
        second, count = (second, count + 1) if now - second < 1.0 else (now, 1)
        self._progress = (second, count)
        if count > self.limits.progress_per_second:
            self._rest(max(0.0, second + 1.0 - now))
            return None
        if len(record) > self.limits.progress_bytes:
            return None
        return read_progress(record)

    def _ended(self, code: int | None, wall: float, gone: bool) -> Exited:
        cpu, peak = self.group.usage()
        printed = sum(stream.total for stream in self.streams)
        usage = Usage(round(wall, 4), cpu, self._peak_mib if peak is None else peak, printed)
        if not gone:
            return Exited(None, None, "infrastructure", usage, "processes of the run could not be ended")
        if code is None:
            reason = self.reason or self._cause(1, None) or "infrastructure"
            return Exited(None, _SIGKILL, reason, usage, "the sandbox ended before the script did")
        number = -code if code < 0 else code - _SIGNALLED if code > _SIGNALLED else None
        exit_code = None if number is not None else code
        return Exited(exit_code, number, self.reason or self._cause(code, number), usage)

    def _cause(self, code: int, number: int | None) -> KillReason | None:
        if self.group.ran_out_of_memory():
            return "out_of_memory"
        if code != 0 and (number == _SIGXFSZ or workspace.is_full(self.root)):
            return "disk_limit"
        return None


def read_progress(record: bytes) -> Progressed | None:
    """A progress record made harmless: percent clamped to 0–100, message at most 200 characters."""
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(record)
        if isinstance(found, dict):
            percent = found.get("percent")
            number = float(percent) if isinstance(percent, int | float) and not isinstance(percent, bool) else None
            if number is not None:
                number = min(100.0, max(0.0, number)) if number == number else None
            return Progressed(number, str(found.get("message") or "")[:200])
    return None
