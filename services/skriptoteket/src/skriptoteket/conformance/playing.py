"""Play one script through a sandbox, from staging to outcome, without queue and database."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.results.contract import Answer, OutputFile
from skriptoteket.core.results.normalization import normalize
from skriptoteket.core.runs.models import Limits, Outcome, OutcomeCode
from skriptoteket.core.runs.observing.outcomes import decide
from skriptoteket.core.runs.observing.streams import KeptStream
from skriptoteket.core.runs.sandbox import (
    Exited,
    ForbiddenOutput,
    KillReason,
    OutputOverLimit,
    Printed,
    Progressed,
    RunSpec,
    Sandbox,
    SandboxHandle,
)


@dataclass(frozen=True, slots=True)
class GivenFile:
    """An input file from memory."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)

    async def read(self) -> AsyncIterator[bytes]:
        """The content in one piece."""
        yield self.content


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one script. ``seconds`` counts from release to exit as seen from outside."""

    outcome: Outcome
    exited: Exited
    answer: Answer | None
    stdout: str
    stderr: str
    progress: tuple[Progressed, ...]
    artifacts: Mapping[str, bytes]
    seconds: float

    @property
    def code(self) -> OutcomeCode:
        """The outcome alone."""
        return self.outcome.code


@dataclass(frozen=True, slots=True)
class Script:
    """A script and what it is given."""

    source: str
    limits: Limits = field(default_factory=lambda: Limits(wall_seconds=20))
    files: Sequence[GivenFile] = ()
    request: Mapping[str, JsonValue] = field(default_factory=dict)
    entrypoint: str = "run_tool"

    def spec(self) -> RunSpec:
        """As the sandbox takes it."""
        run_id = RunId(uuid.uuid4())
        request = {"contract": 1, "run_id": str(run_id), "entrypoint": self.entrypoint, **self.request}
        return RunSpec(run_id, 1, "standard@1", self.source, self.entrypoint, request, tuple(self.files), self.limits)


async def play(sandbox: Sandbox, script: Script) -> Played:
    """Run a script to its end; nothing of it is left afterwards."""
    handle = await sandbox.start(script.spec())
    try:
        return await watch(sandbox, handle, script.limits)
    finally:
        await sandbox.destroy(handle)


async def watch(sandbox: Sandbox, handle: SandboxHandle, limits: Limits, kill: KillReason | None = None) -> Played:
    """Follow a started script to its end; with ``kill`` it is killed as soon as it prints."""
    began = time.monotonic()
    kept = {"stdout": KeptStream(limits.stream_keep_bytes), "stderr": KeptStream(limits.stream_keep_bytes)}
    progress: list[Progressed] = []
    exited: Exited | None = None
    async for event in sandbox.events(handle):
        if isinstance(event, Printed):
            kept[event.stream].add(event.data)
            if kill is not None:
                await sandbox.kill(handle, kill)
        elif isinstance(event, Progressed):
            progress.append(event)
        elif isinstance(event, Exited):
            exited = event
    seconds = time.monotonic() - began
    if exited is None:
        raise AssertionError("the sandbox's events ended without an exit")
    answer, artifacts, problem = await _collect(sandbox, handle)
    return Played(
        outcome=decide(exited, answer, problem, limits),
        exited=exited,
        answer=answer,
        stdout=kept["stdout"].text().text,
        stderr=kept["stderr"].text().text,
        progress=tuple(progress),
        artifacts=artifacts,
        seconds=seconds,
    )


async def _collect(
    sandbox: Sandbox, handle: SandboxHandle
) -> tuple[Answer | None, dict[str, bytes], OutputOverLimit | ForbiddenOutput | None]:
    artifacts: dict[str, bytes] = {}
    try:
        raw = await sandbox.result(handle)
        async for found in sandbox.artifacts(handle):
            artifacts[found.path] = b"".join([chunk async for chunk in found.read()])
    except (OutputOverLimit, ForbiddenOutput) as problem:
        return None, artifacts, problem
    listed = [OutputFile(path, len(content)) for path, content in artifacts.items()]
    return normalize(raw, listed), artifacts, None
