"""Take a claimed run to its end: run outside transactions, collect, record once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from skriptoteket.core.errors import Fenced, NotFound, SkriptoteketError
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.results.contract import CONTRACT, Answer, OutputFile
from skriptoteket.core.results.normalization import artifact_ids, media_type, normalize
from skriptoteket.core.runs.checking import ENTRYPOINT, checking_program
from skriptoteket.core.runs.models import (
    Artifact,
    Claim,
    Ended,
    InputFile,
    Outcome,
    OutcomeCode,
    Run,
    RunState,
)
from skriptoteket.core.runs.observing.live_view import LiveView, NewEvent
from skriptoteket.core.runs.observing.outcomes import decide
from skriptoteket.core.runs.observing.streams import KeptStream
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    Exited,
    ForbiddenOutput,
    KillReason,
    OutputOverLimit,
    Printed,
    Progressed,
    RunSpec,
    Sandbox,
    SandboxFailed,
    SandboxHandle,
    Started,
)
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion
from skriptoteket.core.versions.snapshots import SandboxSnapshot

_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.2
_Answered = TypeVar("_Answered")


MISMATCH = "is not what its hash says"
"""What stands in the author detail of a run whose version or snapshot was changed behind the library's back."""


class CannotRun(Exception):
    """A claimed run that must not or cannot be started; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class _StoredInput:
    """An uploaded file on its way into the sandbox."""

    name: str
    size: int
    key: str
    files: ArtifactStore

    def read(self) -> AsyncIterator[bytes]:
        return self.files.read(self.key)


@dataclass(slots=True)
class _Collected:
    """What was taken out of a sandbox: the answer, the stored files, and what stood in the way; ``announced`` is
    whether the queue already says that the run is being collected."""

    answer: Answer | None = None
    artifacts: tuple[Artifact, ...] = ()
    problem: OutputOverLimit | ForbiddenOutput | None = None
    announced: bool = False


class Executor:
    """Executes claimed runs. One object serves all runs of a worker."""

    def __init__(
        self,
        uow: UnitOfWork[RunUnit],
        sandbox: Sandbox,
        files: ArtifactStore,
        clock: Clock,
        timezone: str = "Europe/Stockholm",
        digests: Mapping[str, str] | None = None,
    ) -> None:
        self._uow = uow
        self._sandbox = sandbox
        self._files = files
        self._clock = clock
        self._timezone = timezone
        self._digests = {} if digests is None else digests
        self._handles: dict[RunId, SandboxHandle] = {}
        self._stopped: dict[RunId, KillReason] = {}

    async def execute(self, run: Run) -> Run | None:
        """Take a run from ``starting`` to a terminal state; ``None`` when the lease was lost on the way.

        Nothing of the sandbox is left when this returns, whatever happened.
        """
        claim = run.claim
        if claim is None:
            raise ValueError(f"run {run.id} is not claimed")
        try:
            return await self._execute(run, claim)
        except Fenced:
            return None
        finally:
            handle = self._handles.pop(run.id, None)
            self._stopped.pop(run.id, None)
            if handle is not None:
                await asyncio.shield(self._sandbox.destroy(handle))

    async def stop(self, run_id: RunId, reason: KillReason) -> None:
        """Kill a run now, or as soon as it is there; the first reason wins."""
        self._stopped.setdefault(run_id, reason)
        handle = self._handles.get(run_id)
        if handle is not None:
            await self._sandbox.kill(handle, reason)

    async def _execute(self, run: Run, claim: Claim) -> Run:
        try:
            spec = await self._prepare(run)
            stopped = self._stopped.get(run.id)
            if stopped is not None:
                return await self._give_back(claim, stopped)
            handle = self._handles[run.id] = await self._sandbox.start(spec)
        except (CannotRun, SandboxFailed, NotFound, SkriptoteketError) as problem:
            if isinstance(problem, Fenced):
                raise
            outcome = Outcome(OutcomeCode.INFRASTRUCTURE, author_detail=str(problem))
            return await self._record(claim, Ended(outcome))
        view = LiveView(self._uow, self._clock, run.id, run.limits.stream_keep_bytes)
        try:
            return await self._watch(run, claim, handle, view)
        finally:
            await view.close()

    async def _watch(self, run: Run, claim: Claim, handle: SandboxHandle, view: LiveView) -> Run:
        if (reason := self._stopped.get(run.id)) is not None:
            await self._sandbox.kill(handle, reason)
        isolation = dict(await self._sandbox.capabilities())
        async with self._uow.write() as unit:
            await unit.queue.move(
                claim,
                RunState.RUNNING,
                self._clock.now(),
                runner=self._sandbox.name,
                isolation=isolation,
                environment_digest=self._digests.get(run.environment),
            )
        stdout, stderr = (KeptStream(run.limits.stream_keep_bytes) for _ in range(2))
        kept = {"stdout": stdout, "stderr": stderr}
        exited = Exited(None, None, "infrastructure", Ended(Outcome(OutcomeCode.INFRASTRUCTURE)).usage, "no exit seen")
        async for event in self._sandbox.events(handle):
            match event:
                case Started():
                    view.state(RunState.RUNNING)
                case Printed():
                    kept[event.stream].add(event.data)
                    view.printed(event)
                case Progressed():
                    view.progressed(event)
                case Exited():
                    exited = event
        view.state(RunState.COLLECTING)
        collected = _Collected()
        try:
            await self._patiently(lambda: self._collect(run, claim, handle, collected))
            outcome = decide(exited, collected.answer, collected.problem, run.limits)
        except SkriptoteketError as problem:
            collected = _Collected(announced=collected.announced)
            outcome = Outcome(OutcomeCode.INFRASTRUCTURE, author_detail=str(problem))
        ended = Ended(outcome, exited.usage, artifacts=collected.artifacts, stdout=stdout.text(), stderr=stderr.text())
        if outcome.code is OutcomeCode.OK and collected.answer is not None:
            answer = collected.answer
            ended = replace(ended, outputs=answer.outputs, next_actions=answer.next_actions, state=answer.state)
        done = await self._record(claim, ended, await view.rest(), announced=collected.announced)
        await self._forget_inputs(done, run.files)
        return done

    async def _prepare(self, run: Run) -> RunSpec:
        behaviour = await self._behaviour(run)
        missing = [file.original_name for file in run.files if file.blob_key is None]
        if missing:
            raise CannotRun(f"{len(missing)} input files are no longer kept")
        inputs = tuple(
            _StoredInput(file.name, file.bytes, file.blob_key, self._files)
            for file in run.files
            if file.blob_key is not None
        )
        source, entrypoint = behaviour.source_code, behaviour.entrypoint
        if run.check_only:
            source, entrypoint = checking_program(behaviour), ENTRYPOINT
        return RunSpec(
            run_id=run.id,
            attempt=run.attempt,
            environment=behaviour.environment,
            source=source,
            entrypoint=entrypoint,
            request=request_document(run, entrypoint, self._timezone),
            inputs=inputs,
            limits=run.limits,
            requirements=run.requirements,
        )

    async def _behaviour(self, run: Run) -> Behaviour:
        kept: ToolVersion | SandboxSnapshot
        async with self._uow.read() as unit:
            if run.version_id is not None:
                kept = await unit.versions.get(run.version_id)
            elif run.snapshot_id is not None:
                kept = await unit.snapshots.get(run.snapshot_id)
            else:
                raise CannotRun("the run names neither a version nor a snapshot")
        # No row is trusted: what was reviewed is what runs, or nothing runs.
        if kept.content_hash != content_hash(kept.behaviour):
            raise CannotRun(f"{kept.id}: the source {MISMATCH}")
        if kept.behaviour_hash != behaviour_hash(kept.behaviour) or run.behaviour_hash != kept.behaviour_hash:
            raise CannotRun(f"{kept.id}: the behaviour {MISMATCH}")
        return kept.behaviour

    async def _give_back(self, claim: Claim, reason: KillReason) -> Run:
        if reason == "drain":
            return await self._move(claim, RunState.QUEUED)
        if reason == "fenced":
            raise Fenced(claim.run_id, claim.attempt)
        return await self._record(claim, Ended(Outcome(OutcomeCode.CANCELLED)))

    async def _collect(self, run: Run, claim: Claim, handle: SandboxHandle, collected: _Collected) -> None:
        try:
            raw = await self._sandbox.result(handle)
            found = [one async for one in self._sandbox.artifacts(handle)]
            if found and not collected.announced:
                # Storing may take long, and others see it. Where there is nothing to store, the last transaction
                # makes both moves.
                await self._move(claim, RunState.COLLECTING)
                collected.announced = True
            collected.artifacts = await self._store(run, found)
            listed = [OutputFile(one.path, one.bytes) for one in collected.artifacts]
            collected.answer = await asyncio.to_thread(normalize, raw, listed)
        except (OutputOverLimit, ForbiddenOutput) as problem:
            collected.problem = problem

    async def _store(self, run: Run, listed: Sequence[CollectedFile]) -> tuple[Artifact, ...]:
        ids = artifact_ids([one.path for one in listed])
        kept: list[Artifact] = []
        for number, one in enumerate(listed):
            key = f"runs/{run.id}/{run.attempt}/artifacts/{number}"
            blob = await self._files.write(key, one.read())
            kept.append(Artifact(ids[one.path], one.path, blob.bytes, blob.sha256, media_type(one.path), blob.key))
        return tuple(kept)

    async def _move(self, claim: Claim, to: RunState) -> Run:
        async with self._uow.write() as unit:
            return await unit.queue.move(claim, to, self._clock.now())

    async def _record(
        self, claim: Claim, ended: Ended, rest: Sequence[NewEvent] = (), *, announced: bool = True
    ) -> Run:
        async def once() -> Run:
            async with self._uow.write() as unit:
                if not announced:
                    await unit.queue.move(claim, RunState.COLLECTING, self._clock.now())
                done = await unit.queue.finish(claim, ended, self._clock.now())
                told: dict[str, JsonValue] = {"state": done.state.value, "outcome": ended.outcome.code.value}
                await unit.runs.append_events(claim.run_id, [*rest, ("done", told)], self._clock.now())
                return done

        return await self._patiently(once)

    async def _patiently(self, work: Callable[[], Awaitable[_Answered]]) -> _Answered:
        # A finished script is not thrown away for a lock that was not given in time; a lost lease is final.
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(_TRIES - 1):
            try:
                return await work()
            except SkriptoteketError as problem:
                if isinstance(problem, Fenced):
                    raise
                await asyncio.sleep(pause)
                pause *= 2
        return await work()

    async def _forget_inputs(self, done: Run, files: tuple[InputFile, ...]) -> None:
        if done.keeps_inputs:
            return
        for file in files:
            if file.blob_key is not None and done.owns(file):
                await self._files.delete(file.blob_key)


def request_document(run: Run, entrypoint: str, timezone: str) -> dict[str, JsonValue]:
    """``request.json`` of script contract 1: everything that a script is told."""
    files: list[JsonValue] = [
        {
            "field": file.field,
            "name": file.name,
            "original_name": file.original_name,
            "path": f"/job/input/{file.name}",
            "bytes": file.bytes,
            "sha256": file.sha256,
        }
        for file in run.files
    ]
    return {
        "contract": CONTRACT,
        "run_id": str(run.id),
        "entrypoint": entrypoint,
        "locale": run.locale,
        "timezone": timezone,
        "files": files,
        "inputs": dict(run.values),
        "settings": dict(run.settings),
        "action": None if run.action is None else dict(run.action),
        "state": None if run.session_state is None else dict(run.session_state),
        "limits": dict(asdict(run.limits)),
    }
