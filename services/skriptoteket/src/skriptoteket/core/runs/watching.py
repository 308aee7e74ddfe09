"""Read, list and cancel one's own runs; who may see what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, Expired, NotFound
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.roles import OPERATE, Actor
from skriptoteket.core.runs.models import Artifact, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.ports.records import RunEvent, RunFilter, RunLogs
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.waiting import Waiting, standing
from skriptoteket.core.runs.sight import RunAccess, Sight, outcome_only, sight_of
from skriptoteket.core.versions.models import ToolVersion

_RECENT_RUNS = 100


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run with what a page about it needs."""

    run: Run
    tool: Tool
    version: ToolVersion | None
    artifacts: Sequence[Artifact]
    waiting: Waiting | None
    progress: RunEvent | None
    logs: RunLogs | None = None
    sight: Sight = Sight.OWN
    accesses: Sequence[RunAccess] = ()
    state_rev: int | None = None
    files_expire_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What there is to tell of a run since the last look. ``place`` is where it stands while it waits."""

    run: Run
    steps: Sequence[RunEvent]
    place: Mapping[str, JsonValue] | None
    reads_logs: bool


class RunWatching:
    """The questions about runs, for those who may see them. Any other run does not exist for a caller."""

    def __init__(
        self, work: UnitOfWork[RunUnit], clock: Clock, bell: Doorbell, keep_files: timedelta = timedelta(days=7)
    ) -> None:
        self._keep_files = keep_files
        self._work = work
        self._clock = clock
        self._bell = bell

    async def mine(
        self, subject: str, limit: int, before: RunId | None = None, states: frozenset[RunState] | None = None
    ) -> Sequence[tuple[Run, Tool]]:
        """The caller's runs outside sandboxes, newest first."""
        async with self._work.read() as unit:
            wanted = RunFilter(requested_by=subject, states=states, contexts=frozenset({RunContext.PRODUCTION}))
            runs = await unit.runs.page(wanted, limit, before)
            tools = {tool_id: await unit.tools.get(tool_id) for tool_id in {run.tool_id for run in runs}}
            return [(run, tools[run.tool_id]) for run in runs]

    async def trials(self, tool_id: ToolId, behaviour_hash: str, limit: int = 10) -> Sequence[Run]:
        """Sandbox runs of exactly this behaviour, newest first: what a reviewer goes by."""
        wanted = RunFilter(tool_id=tool_id, contexts=frozenset({RunContext.SANDBOX}), behaviour_hash=behaviour_hash)
        async with self._work.read() as unit:
            return await unit.runs.page(wanted, limit)

    async def recent_tools(self, subject: str, most: int = 6) -> list[Tool]:
        """Distinct visible tools of the caller's own runs, newest first."""
        found: dict[ToolId, Tool] = {}
        for run, tool in await self.mine(subject, _RECENT_RUNS):
            if run.kind is RunKind.PRODUCTION and tool.is_visible and tool.active_version_id is not None:
                found.setdefault(tool.id, tool)
        return list(found.values())[:most]

    async def over(self, run_id: RunId) -> bool:
        """Whether a run has ended; cheap, for those who wait."""
        async with self._work.read() as unit:
            return (await unit.runs.get(run_id)).state.terminal

    async def see(self, run_id: RunId, viewer: Actor) -> SeenRun:
        """A run, as much of it as the viewer may see.

        Raises:
            NotFound: missing, or nothing for the viewer.
            Expired: its requester removed it.
        """
        async with self._work.read() as unit:
            run, sight, maintainers = await self._visible(unit, run_id, viewer)
            tool = await unit.tools.get(run.tool_id)
            version = await unit.versions.get(run.version_id) if run.version_id is not None else None
            shows_files = sight is not Sight.OUTCOME and run.state is RunState.SUCCEEDED
            artifacts = await unit.runs.artifacts(run_id) if shows_files else ()
            waiting = await standing(unit, run_id, self._clock.now()) if run.state is RunState.QUEUED else None
            progress = None
            if not run.state.terminal:
                steps = [event for event in await unit.runs.events(run_id) if event.kind == "progress"]
                progress = steps[-1] if steps else None
            trial = run.context is RunContext.SANDBOX
            reads = viewer.may_write(maintainers) if sight is not Sight.OWN else trial
            logs = await unit.runs.logs(run_id) if reads and run.state.terminal else None
            accesses = tuple(await unit.runs.accesses(run_id)) if sight is Sight.OWN else ()
            shown = outcome_only(run) if sight is Sight.OUTCOME else run
            if not reads and sight is not Sight.OWN:
                shown = replace(shown, author_detail="")
            rev = await unit.sessions.rev_for(run) if sight is Sight.OWN else None
            expire = run.finished_at + self._keep_files if run.finished_at is not None else None
            return SeenRun(shown, tool, version, artifacts, waiting, progress, logs, sight, accesses, rev, expire)

    async def logs(self, run_id: RunId, viewer: Actor) -> RunLogs:
        """What the run printed; only for those who may read the source and see the run.

        Raises:
            NotFound: not entitled, or no such run.
            Expired: their time is over.
        """
        async with self._work.read() as unit:
            run, _, maintainers = await self._visible(unit, run_id, viewer)
            if not viewer.may_write(maintainers):
                raise NotFound("log of run", run_id)
            if run.logs_expired_at is not None:
                raise Expired("log of run", run_id, run.logs_expired_at.date().isoformat())
            return await unit.runs.logs(run_id)

    async def artifact(self, run_id: RunId, artifact_id: str, viewer: Actor) -> Artifact:
        """A file of a succeeded run.

        Raises:
            NotFound, Expired.
        """
        async with self._work.read() as unit:
            run = await self._with_content(unit, run_id, viewer)
            found = next((item for item in await unit.runs.artifacts(run_id) if item.artifact_id == artifact_id), None)
            if found is None or run.state is not RunState.SUCCEEDED:
                raise NotFound("file", artifact_id)
            if found.blob_key is None or run.artifacts_expired_at is not None:
                at = run.artifacts_expired_at or run.finished_at or run.requested_at
                raise Expired("file", artifact_id, at.date().isoformat())
            return found

    async def artifacts(self, run_id: RunId, viewer: Actor) -> tuple[Tool, Sequence[Artifact]]:
        """Every file of a succeeded run that is still kept, with the run's tool.

        Raises:
            NotFound: no such run, or it has no files.
            Expired: their time is over.
        """
        async with self._work.read() as unit:
            run = await self._with_content(unit, run_id, viewer)
            found = await unit.runs.artifacts(run_id) if run.state is RunState.SUCCEEDED else ()
            if not found:
                raise NotFound("files of run", run_id)
            kept = [item for item in found if item.blob_key is not None]
            if not kept or run.artifacts_expired_at is not None:
                at = run.artifacts_expired_at or run.finished_at or run.requested_at
                raise Expired("files of run", run_id, at.date().isoformat())
            return await unit.tools.get(run.tool_id), kept

    async def events(self, run_id: RunId, viewer: Actor, after: int) -> Watched:
        """Steps of the live view behind ``after``, and the run as it is now.

        Raises:
            NotFound: missing, or nothing for the viewer.
            Expired: its requester removed it.
        """
        async with self._work.read() as unit:
            run, _, maintainers = await self._visible(unit, run_id, viewer)
            steps = await unit.runs.events(run_id, after)
            waiting = await standing(unit, run_id, self._clock.now()) if run.state is RunState.QUEUED else None
        place: dict[str, JsonValue] | None = None
        if waiting is not None:
            place = {"position": waiting.position, "lane": waiting.lane, "estimate_s": waiting.estimate_s}
        return Watched(run, steps, place, viewer.may_write(maintainers))

    async def resumed_after(self, run_id: RunId, wanted: int) -> int:
        """Where a live view goes on: behind an event that there was, else from the start."""
        if wanted < 1:
            return 0
        async with self._work.read() as unit:
            known = await unit.runs.events(run_id, wanted - 1, 1)
        return wanted if known and known[0].id == wanted else 0

    async def cancel(self, run_id: RunId, actor: Actor) -> Run:
        """Cancel: queued at once, starting and running within a second; cancelled already is fine.

        Raises:
            NotFound: missing or not the caller's.
            Conflict: ``wrong_state``: the run is over, or its files are being collected.
        """
        async with self._work.write() as unit:
            run = await unit.runs.get(run_id)
            if run.requested_by != actor.subject and not actor.holds(OPERATE):
                raise NotFound("run", run_id)
            if run.state is RunState.CANCELLED:
                return run
            if run.state.terminal or run.state is RunState.COLLECTING:
                text = "The run is over or about to be: it cannot be cancelled any more. Load the page to see it."
                raise Conflict("wrong_state", text, {"state": run.state})
            reason = "user" if run.requested_by == actor.subject else "operator"
            run = await unit.queue.request_cancel(run_id, reason, self._clock.now())
        await self._bell.ring(run_id)
        return run

    async def _visible(self, unit: RunUnit, run_id: RunId, viewer: Actor) -> tuple[Run, Sight, frozenset[str]]:
        run = await unit.runs.get(run_id)
        maintainers = await unit.tools.maintainers(run.tool_id)
        foreign = run.requested_by != viewer.subject
        accesses = tuple(await unit.runs.accesses(run_id)) if foreign else ()
        return run, sight_of(run, viewer, maintainers, accesses, self._clock.now()), maintainers

    async def _with_content(self, unit: RunUnit, run_id: RunId, viewer: Actor) -> Run:
        run, sight, _ = await self._visible(unit, run_id, viewer)
        if sight is Sight.OUTCOME:
            raise NotFound("file of run", run_id)
        return run
