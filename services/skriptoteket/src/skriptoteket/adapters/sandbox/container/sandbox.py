"""Cold start in a container of Docker or Podman: the engine isolates, this tells it how.

Only the worker sees the engine's socket. A run is a volume in memory, a container that holds it, and the script's own;
all three carry labels, by which the next worker finds what a killed one left.
"""

import asyncio
import hashlib
import itertools
import json
import platform
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path

from skriptoteket.adapters.sandbox.container.archive import Collected, collect, staged
from skriptoteket.adapters.sandbox.container.engine import Engine, EngineProblem
from skriptoteket.adapters.sandbox.container.image import REPOSITORY, image_digest, image_name
from skriptoteket.adapters.sandbox.container.plan import ContainerPlan
from skriptoteket.adapters.sandbox.container.run import ContainerRun
from skriptoteket.adapters.sandbox.container.seccomp_profile import seccomp_profile
from skriptoteket.adapters.sandbox.host.seccomp import read_policy
from skriptoteket.adapters.sandbox.view import interpreter_view
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

_START_SECONDS = 60.0
_ARCHIVE_SECONDS = 60.0
_WORKER, _RUN, _ATTEMPT = "skriptoteket.worker", "skriptoteket.run", "skriptoteket.attempt"
_REMOVALS = 20
_ENGINES_FAULT = 500
_OWN_KERNEL = ("runsc", "kata-runtime")
_REMOVAL_PAUSE = 0.1


class ContainerSandbox:
    """Runs each script in a container of its own."""

    name = "container"

    def __init__(
        self,
        state_dir: Path,
        url: str,
        *,
        repository: str = REPOSITORY,
        runtime: str | None = None,
        environment: str = "standard@1",
        slot_uids: range = range(61_000, 61_512),
    ) -> None:
        self._engine = Engine(url)
        self._state_dir = state_dir
        self._image = image_name(environment, repository)
        self._runtime = runtime
        self._uids = itertools.cycle(slot_uids)
        self._key = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:16]
        self._profile = seccomp_profile(platform.machine(), read_policy())
        self._seccomp: str | None = None
        self._podman = False
        self._live: dict[str, ContainerRun | None] = {}
        self._found: Mapping[str, str] | None = None

    async def capabilities(self) -> Mapping[str, str]:
        """What the engine isolates; empty when it is not there or has no image of the environment."""
        if self._found is None:
            try:
                facts = await self._engine.call("GET", "/info")
                if await self.missing(facts):
                    return {}
            except EngineProblem:
                return {}
            self._found = _capabilities(facts, self._runtime)
        return self._found

    async def missing(self, facts: Mapping[str, object] | None = None) -> str:
        """What keeps containers from being made, in one sentence; empty when nothing does. ``facts`` are the engine's
        own, where they are known already."""
        try:
            found = await self._engine.call("GET", "/info") if facts is None else facts
            known = found.get("Runtimes")
            if self._runtime and (not isinstance(known, Mapping) or self._runtime not in known):
                names = ", ".join(sorted(known)) if isinstance(known, Mapping) else "none"
                return f"the engine has no runtime {self._runtime} (SKRIPTOTEKET_CONTAINER_RUNTIME); it knows {names}"
            if await image_digest(self._engine, self._image) is None:
                return f"the engine has no image {self._image}"
        except EngineProblem as problem:
            return str(problem)
        return ""

    async def prepare(self, limits: Limits) -> None:
        """Nothing to do: every start is cold."""

    async def close(self) -> None:
        """Nothing is kept ready."""

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Make volume and containers, put the inputs in and start the script.

        Raises:
            SandboxFailed: with what the engine said.
        """
        name = f"skriptoteket-{self._key}-{spec.run_id}-{spec.attempt}"
        try:
            return await self._started(spec, name)
        except EngineProblem as problem:
            if problem.status < _ENGINES_FAULT:
                raise SandboxFailed(str(problem)) from problem
        # The engine says that the process did not start, as it may when the host is short of everything: once more.
        try:
            return await self._started(spec, name)
        except EngineProblem as problem:
            raise SandboxFailed(str(problem)) from problem

    async def _started(self, spec: RunSpec, name: str) -> ContainerRun:
        self._live[name] = None
        run: ContainerRun | None = None
        try:
            async with asyncio.timeout(_START_SECONDS):
                run = self._live[name] = await self._build(spec, name)
                await run.release()
        except BaseException as problem:
            if run is not None:
                await run.close()
            await asyncio.shield(self._remove(name))
            self._live.pop(name, None)
            if isinstance(problem, OSError | TimeoutError | ValueError):
                raise SandboxFailed(str(problem) or f"not ready within {_START_SECONDS:.0f} s") from problem
            raise
        return run

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        return _live(handle).events()

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port."""
        await _live(handle).kill(reason)

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """See the port."""
        found = await self._collected(_live(handle))
        if found.result_problem is not None:
            raise found.result_problem
        return found.result

    async def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """See the port."""
        found = await self._collected(_live(handle))
        if found.problem is not None:
            raise found.problem
        for one in found.files:
            yield one

    async def destroy(self, handle: SandboxHandle) -> None:
        """See the port."""
        run = _live(handle)
        await run.close()
        await self._remove(run.volume)
        self._live.pop(run.volume, None)

    async def reap(self, known: Collection[RunId]) -> None:
        """See the port. What this very object started is never reaped."""
        mine = set(self._live)
        labelled = {"filters": json.dumps({"label": [f"{_WORKER}={self._key}"]})}
        found = await self._engine.call("GET", "/containers/json", query={"all": "1", **labelled})
        names = {str(one["Names"][0]).lstrip("/").rsplit(".", 1)[0] for one in found or ()}
        kept = await self._engine.call("GET", "/volumes", query=labelled)
        names |= {str(one["Name"]) for one in (kept or {}).get("Volumes") or ()}
        for name in names - mine:
            if not any(str(one) in name for one in known):
                await self._remove(name)

    async def _build(self, spec: RunSpec, name: str) -> ContainerRun:
        labels = {_WORKER: self._key, _RUN: str(spec.run_id), _ATTEMPT: str(spec.attempt)}
        plan = ContainerPlan(
            image=self._image,
            program=interpreter_view().program,
            seccomp=await self._option(),
            labels=labels,
            runtime=self._runtime,
            timezone=str(spec.request.get("timezone") or "UTC"),
            limits=spec.limits,
            podman=self._podman,
        )
        uid, mark = self._next_uid(), secrets.token_hex(8)
        await self._engine.call("POST", "/volumes/create", plan.volume(name))
        holder, script = await asyncio.gather(
            self._engine.call("POST", "/containers/create", plan.holder(name), query={"name": f"{name}.holder"}),
            self._engine.call(
                "POST", "/containers/create", plan.script(name, uid, mark), query={"name": f"{name}.run"}
            ),
        )
        await self._engine.call("POST", f"/containers/{holder['Id']}/start")
        await self._engine.upload(
            "PUT", f"/containers/{holder['Id']}/archive", {"path": "/job"}, staged(spec, uid), _START_SECONDS
        )
        return ContainerRun(
            engine=self._engine,
            run_id=spec.run_id,
            attempt=spec.attempt,
            limits=spec.limits,
            container=str(script["Id"]),
            holder=str(holder["Id"]),
            volume=name,
            uid=uid,
            mark=mark,
        )

    async def _option(self) -> str:
        """The profile as this engine wants it: Docker takes its text, Podman the path of a file on its host."""
        if self._seccomp is None:
            parts = (await self._engine.call("GET", "/version")).get("Components") or ()
            self._podman = any("podman" in str(one.get("Name", "")).lower() for one in parts)
            if self._podman:
                file = self._state_dir / "seccomp.json"
                await asyncio.to_thread(_write_profile, file, self._profile)
                self._seccomp = str(file.resolve())
            else:
                self._seccomp = self._profile
        return self._seccomp

    async def _collected(self, run: ContainerRun) -> Collected:
        if run.collected is None:
            run.collected = await asyncio.to_thread(self._collect, run)
        return run.collected

    def _collect(self, run: ContainerRun) -> Collected:
        # Out of the holder: it still has the volume, and nothing of the script lives in it.
        try:
            archive = self._engine.download(f"/containers/{run.holder}/archive", {"path": "/job"}, _ARCHIVE_SECONDS)
            try:
                return collect(archive, run.limits, self._state_dir / "collected")
            finally:
                archive.close()
        except (OSError, EngineProblem) as problem:
            raise SandboxFailed(str(problem)) from problem

    async def _remove(self, name: str) -> None:
        query = {"force": "1", "v": "1"}
        await asyncio.gather(*(self._gone("DELETE", f"/containers/{name}.{part}", query) for part in ("run", "holder")))
        await self._gone("DELETE", f"/volumes/{name}", {"force": "1"})

    async def _gone(self, method: str, path: str, query: Mapping[str, str]) -> None:
        for _ in range(_REMOVALS):
            try:
                await self._engine.call(method, path, query=query)
                return
            except EngineProblem as problem:
                if problem.status == 404:
                    return
                if problem.status != 409:
                    raise SandboxFailed(str(problem)) from problem
            await asyncio.sleep(_REMOVAL_PAUSE)  # a removal is under way, or its last container still goes

    def _next_uid(self) -> int:
        taken = {run.uid for run in self._live.values() if run is not None}
        return next(uid for uid in self._uids if uid not in taken)


def _write_profile(file: Path, profile: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(profile, encoding="ascii")


def _capabilities(facts: Mapping[str, object], runtime: str | None) -> dict[str, str]:
    options = facts.get("SecurityOptions")
    filtered = any("seccomp" in str(one) for one in options) if isinstance(options, list) else False
    found = {
        "network_isolation": "hard",
        "filesystem_isolation": "hard",
        "pid_isolation": "hard",
        "disk_quota": "hard",
        "own_uid": "hard",
    }
    if filtered:
        found["seccomp"] = "yes"
    if runtime in _OWN_KERNEL:
        found["own_kernel"] = "yes"
    # What the engine does not promise is absent, and a run that needs it is refused.
    for name, key in (("memory_limit", "MemoryLimit"), ("process_limit", "PidsLimit"), ("cpu_limit", "CpuCfsQuota")):
        if facts.get(key) is True or facts.get(key.replace("Cpu", "CPU")) is True:
            found[name] = "hard"
    return found


def _live(handle: SandboxHandle) -> ContainerRun:
    if not isinstance(handle, ContainerRun):
        raise TypeError(f"{type(handle).__name__} is no run of this sandbox")
    return handle
