"""One run in a container: its streams, its deadline, its end."""

import asyncio
import contextlib
import json
import struct
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Literal

from skriptoteket.adapters.sandbox.container.archive import Collected
from skriptoteket.adapters.sandbox.container.engine import Answer, Engine, EngineProblem
from skriptoteket.adapters.sandbox.supervision import read_progress
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits, Usage
from skriptoteket.core.runs.sandbox import Exited, KillReason, Printed, Progressed, SandboxEvent, Started

_DEATH_SECONDS = 20.0
_LAST_WORDS_SECONDS = 5.0
_STDERR = 2
_SIGKILL = 9
_SIGXFSZ = 25
_SIGNALLED = 128
_NEARLY = 0.95
_RECORD = b"\x1e"
_LONGEST_END = 1024


class Marked:
    """Takes the records out of a stream that they share with what the script prints there."""

    def __init__(self, mark: str, longest: int) -> None:
        self._mark = _RECORD + mark.encode()
        self._longest = max(longest, _LONGEST_END) + len(self._mark)
        self._held = b""

    def split(self, data: bytes) -> tuple[bytes, list[bytes]]:
        """What is left of the stream, and the records that are complete now."""
        records: list[bytes] = []
        text, rest = b"", self._held + data
        while True:
            before, found, after = rest.partition(self._mark)
            text += before
            if not found:
                break
            record, ended, rest = after.partition(b"\n")
            if not ended:
                if len(after) > self._longest:
                    text, self._held = text + after, b""
                else:
                    self._held = found + after
                return text, records
            records.append(record)
        keep = next((n for n in range(min(len(text), len(self._mark)), 0, -1) if text.endswith(self._mark[:n])), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], records

    def rest(self) -> bytes:
        """What was held back as the possible beginning of a record."""
        held, self._held = self._held, b""
        return held


@dataclass(eq=False, slots=True)
class ContainerRun:
    """A container with a script in it, from its start to its end."""

    engine: Engine
    run_id: RunId
    attempt: int
    limits: Limits
    container: str
    holder: str
    volume: str
    uid: int
    mark: str
    reason: KillReason | None = None
    collected: Collected | None = None
    _events: "asyncio.Queue[SandboxEvent]" = field(default_factory=asyncio.Queue)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _released: float = 0.0
    _printed: dict[str, int] = field(default_factory=dict)
    _progress: tuple[float, int] = (0.0, 0)
    _end: dict[str, float] = field(default_factory=dict)
    _attached: asyncio.Event = field(default_factory=asyncio.Event)

    async def release(self) -> None:
        """Listen, then start the container; the deadline counts from here.

        Raises:
            EngineProblem: it does not start.
        """
        listening = self._begin(self._listen(), "listen")
        attached = asyncio.create_task(self._attached.wait())
        await asyncio.wait({listening, attached}, return_when=asyncio.FIRST_COMPLETED, timeout=_DEATH_SECONDS)
        attached.cancel()
        if not self._attached.is_set():
            raise EngineProblem(0, "the container engine gives no streams")
        self._events.put_nowait(Started())
        await self.engine.call("POST", f"/containers/{self.container}/start")
        self._released = time.monotonic()
        self._begin(self._supervise(listening), "supervise")

    async def kill(self, reason: KillReason) -> None:
        """SIGKILL to the first process, which takes all others with it; the first reason wins."""
        if self.reason is None:
            self.reason = reason
        with contextlib.suppress(EngineProblem):  # it has ended already
            await self.engine.call("POST", f"/containers/{self.container}/kill", query={"signal": "KILL"})

    async def events(self) -> AsyncIterator[SandboxEvent]:
        """Everything that happens, ending with ``Exited``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Exited):
                return

    async def close(self) -> None:
        """End everything that listens; idempotent."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self.collected is not None:
            self.collected.close()
            self.collected = None

    def _begin(self, work: "Coroutine[None, None, None]", name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=f"{name} {self.run_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _listen(self) -> None:
        query = {"stream": "1", "stdout": "1", "stderr": "1"}
        marked = Marked(self.mark, self.limits.progress_bytes)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, EngineProblem):
            async with self.engine.stream("POST", f"/containers/{self.container}/attach", query) as answer:
                self._attached.set()
                while True:
                    await self._frame(answer, marked)
        self._print("stderr", marked.rest())

    async def _frame(self, answer: Answer, marked: Marked) -> None:
        kind, size = struct.unpack(">BxxxI", await answer.exactly(8))
        while size:
            data = await answer.exactly(min(size, 65_536))
            size -= len(data)
            if kind != _STDERR:
                self._print("stdout", data)
                continue
            text, records = marked.split(data)
            for record in records:
                self._hear(record)
            self._print("stderr", text)

    def _print(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        if not data:
            return
        total = self._printed[stream] = self._printed.get(stream, 0) + len(data)
        if total <= self.limits.stream_kill_bytes:
            self._events.put_nowait(Printed(stream, data))
        elif self.reason is None:
            self.reason = "output_limit"
            self._begin(self.kill("output_limit"), "kill")

    def _hear(self, record: bytes) -> None:
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(record)
            if isinstance(found, dict) and "ended" in found:
                self._end = {str(name): float(value) for name, value in found.items()}
                return
        second, count = self._progress
        now = time.monotonic()
        second, count = (second, count + 1) if now - second < 1.0 else (now, 1)
        self._progress = (second, count)
        told: Progressed | None = None
        if count <= self.limits.progress_per_second and len(record) <= self.limits.progress_bytes:
            told = read_progress(record)
        if told is not None:
            self._events.put_nowait(told)

    async def _supervise(self, listening: "asyncio.Task[None]") -> None:
        waiting = asyncio.create_task(self._wait(), name=f"wait {self.run_id}")
        try:
            left = self._released + self.limits.wall_seconds - time.monotonic()
            done, _ = await asyncio.wait({waiting}, timeout=max(0.0, left))
            if not done:
                await self.kill("timeout")
                done, _ = await asyncio.wait({waiting}, timeout=_DEATH_SECONDS)
            wall = time.monotonic() - self._released
            await asyncio.wait({listening}, timeout=_LAST_WORDS_SECONDS)
            self._events.put_nowait(await self._ended(waiting.result() if done else None, wall))
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})

    async def _wait(self) -> int | None:
        try:
            found = await self.engine.call("POST", f"/containers/{self.container}/wait", seconds=None)
        except EngineProblem:
            return None
        return int(found["StatusCode"])

    async def _ended(self, status: int | None, wall: float) -> Exited:
        printed = sum(self._printed.values())
        peak = self._end.get("peak_mib")
        usage = Usage(round(wall, 4), self._end.get("cpu"), peak, printed)
        try:
            state = (await self.engine.call("GET", f"/containers/{self.container}/json"))["State"]
        except EngineProblem as problem:
            return Exited(None, None, self.reason or "infrastructure", usage, str(problem))
        if status is None or state.get("Running"):
            return Exited(None, None, "infrastructure", usage, "the container could not be ended")
        number = status - _SIGNALLED if status > _SIGNALLED else None
        return Exited(None if number else status, number, self.reason or self._cause(state, status, number), usage)

    def _cause(self, state: dict[str, object], status: int, number: int | None) -> KillReason | None:
        # Nobody else kills in there: the first process lives as long as the script does, unless memory was short.
        full = self._end.get("peak_mib", 0.0) >= self.limits.memory_mib * _NEARLY
        starved = number == _SIGKILL and (not self._end or full)
        if state.get("OOMKilled") or starved:
            return "out_of_memory"
        if status != 0 and (number == _SIGXFSZ or self._end.get("full")):
            return "disk_limit"
        return None
