"""A sandbox with scripted outcomes: for tests of everything around it, and for nothing else.

It executes no code. The source of a run is a JSON document that says what happens: ``{"print": …, "stderr": …,
"progress": [[percent, message]], "wait": true, "result": {…}, "files": {path: text}, "exit": 0, "signal": null,
"reason": null, "fail": text}``. ``wait`` keeps the run alive until it is killed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits, Usage
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    Exited,
    KillReason,
    OutputOverLimit,
    Printed,
    Progressed,
    RunSpec,
    SandboxEvent,
    SandboxFailed,
    SandboxHandle,
    Started,
)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    async def read(self) -> AsyncIterator[bytes]:
        yield self.content


@dataclass(eq=False, slots=True)
class _Play:
    run_id: RunId
    attempt: int
    spec: RunSpec
    script: Mapping[str, object]
    inputs: Mapping[str, bytes]
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    reason: KillReason | None = None


class MemorySandbox:
    """Plays scripted runs; ``live`` are those that were started and not destroyed."""

    name = "memory"

    def __init__(self) -> None:
        self.live: dict[RunId, _Play] = {}

    async def capabilities(self) -> Mapping[str, str]:
        """None: nothing is isolated, because nothing is executed."""
        return {}

    async def prepare(self, limits: Limits) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """See the port."""
        script = json.loads(spec.source)
        if "fail" in script:
            raise SandboxFailed(str(script["fail"]))
        inputs = {one.name: b"".join([chunk async for chunk in one.read()]) for one in spec.inputs}
        play = self.live[spec.run_id] = _Play(spec.run_id, spec.attempt, spec, script, inputs)
        return play

    async def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        play = _play(handle)
        script = play.script
        yield Started()
        for stream, key in (("stdout", "print"), ("stderr", "stderr")):
            if key in script:
                yield Printed("stdout" if stream == "stdout" else "stderr", str(script[key]).encode())
        reported = script.get("progress")
        for percent, message in reported if isinstance(reported, list) else ():
            yield Progressed(percent, str(message))
        if script.get("wait"):
            await play.killed.wait()
        usage = Usage(wall_seconds=0.0)
        if play.reason is not None:
            yield Exited(None, 9, play.reason, usage)
            return
        code, signal = script.get("exit", 0), script.get("signal")
        number = signal if isinstance(signal, int) else None
        yield Exited(code if isinstance(code, int) and number is None else None, number, None, usage)

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port."""
        play = _play(handle)
        play.reason = play.reason or reason
        play.killed.set()

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """See the port."""
        play = _play(handle)
        if "result" not in play.script:
            return None
        raw = json.dumps(play.script["result"]).encode()
        if len(raw) > play.spec.limits.result_bytes:
            raise OutputOverLimit(f"result.json has {len(raw)} bytes")
        return raw

    async def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """See the port."""
        files = _play(handle).script.get("files")
        for path, text in sorted(files.items()) if isinstance(files, dict) else ():
            yield _File(str(path), str(text).encode())

    async def destroy(self, handle: SandboxHandle) -> None:
        """See the port."""
        self.live.pop(handle.run_id, None)

    async def reap(self, known: Collection[RunId]) -> None:
        """See the port."""
        for run_id in set(self.live) - set(known):
            del self.live[run_id]


def _play(handle: SandboxHandle) -> _Play:
    if not isinstance(handle, _Play):
        raise TypeError(f"{type(handle).__name__} is no run of this sandbox")
    return handle
