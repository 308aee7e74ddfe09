"""Try a version or unsaved text in the sandbox, as an author."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Expired, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.fields.forms import form_issues
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.preferences.settings import settings_of_a_run
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.inputs import Upload, file_issues
from skriptoteket.core.runs.models import InputFile, Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.admission import AdmissionRules, ensure_room
from skriptoteket.core.runs.submission import input_files
from skriptoteket.core.versions.behaviour import LIMIT_CEILINGS, Ceilings, checked
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour
from skriptoteket.core.versions.snapshots import SNAPSHOT_TIME, SandboxSnapshot


@dataclass(frozen=True, slots=True)
class Trial:
    """What an author wants to try: a version, or the editor's fields on top of one.

    Without ``settings`` the author's kept ones for trials count. ``check_only`` runs nothing: the text is compiled and
    its function looked at, in the sandbox.
    """

    run_id: RunId
    tool_id: ToolId
    values: Mapping[str, object]
    uploads: Sequence[Upload] = ()
    version_id: VersionId | None = None
    fields: Mapping[str, object] | None = None
    locale: str = "en"
    settings: Mapping[str, object] | None = None
    check_only: bool = False


class Trials:
    """The verb *try*. Lives as long as the app."""

    def __init__(
        self,
        work: UnitOfWork[RunUnit],
        clock: Clock,
        ids: Ids,
        bell: Doorbell,
        rules: AdmissionRules,
        environments: Sequence[str],
        *,
        keep: timedelta = SNAPSHOT_TIME,
        ceilings: Ceilings = LIMIT_CEILINGS,
    ) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._bell = bell
        limits = replace(rules.default_limits, wall_seconds=min(rules.trial_seconds, rules.default_limits.wall_seconds))
        self._rules = replace(rules, default_limits=limits)
        self._environments = environments
        self._keep = keep
        self._ceilings = ceilings

    async def behaviour(self, actor: Actor, trial: Trial) -> Behaviour:
        """What would be run, so that a form can be read before anything is stored.

        Raises:
            NotFound, ValidationFailed.
        """
        async with self._work.read() as unit:
            return (await self._wanted(unit, actor, trial))[1]

    async def submit(self, actor: Actor, trial: Trial) -> Run:
        """Queue a sandbox run, in the lane of its own.

        Raises:
            NotFound, ValidationFailed, PayloadTooLarge, RunnerUnavailable, TooManyRuns, QueueFull.
        """
        async with self._work.write() as unit:
            tool, behaviour = await self._wanted(unit, actor, trial)
            values, settings = await self._given(unit, actor, trial, behaviour)
            room = (behaviour.environment, self._rules.limits(behaviour.limits), behaviour.requirements)
            await ensure_room(unit, self._rules, room, actor.subject, self._clock.now())
            snapshot = None if trial.fields is None else await self._snapshot(unit, actor, tool.id, behaviour)
            now = self._clock.now()
            run = Run(
                id=trial.run_id,
                kind=RunKind.SANDBOX,
                context=RunContext.SANDBOX,
                lane=Lane.SANDBOX,
                state=RunState.QUEUED,
                tool_id=tool.id,
                version_id=trial.version_id if trial.fields is None else None,
                snapshot_id=snapshot,
                behaviour_hash=behaviour_hash(behaviour),
                requested_by=actor.subject,
                requested_at=now,
                environment=behaviour.environment,
                limits=self._rules.limits(behaviour.limits),
                requirements=behaviour.requirements,
                files=input_files(trial.uploads),
                values=values,
                settings=settings,
                check_only=trial.check_only,
                locale=trial.locale,
                queue_deadline=now + self._rules.queue_deadline,
            )
            await unit.runs.add(run)
            if not trial.check_only:
                await unit.sessions.begin(run, now)
        await self._bell.ring(run.id)
        return run

    async def _given(
        self, unit: RunUnit, actor: Actor, trial: Trial, behaviour: Behaviour
    ) -> tuple[dict[str, JsonValue], Mapping[str, JsonValue]]:
        if trial.check_only:
            return {}, {}
        values, issues = form_issues(behaviour.input_schema, trial.values)
        wrong = (*issues, *file_issues(behaviour.input_schema, trial.uploads))
        settings: Mapping[str, JsonValue] = {}
        if trial.settings is not None:
            settings, odd = form_issues(behaviour.settings_schema, trial.settings)
            wrong += tuple(FieldIssue(f"settings.{each.field}", each.code, each.message) for each in odd)
        if wrong:
            raise ValidationFailed(wrong, trial.values)
        if trial.settings is None:
            settings = await settings_of_a_run(unit.preferences, trial.tool_id, behaviour, actor.subject, trial=True)
        return values, settings

    async def text_of_trial(self, actor: Actor, tool_id: ToolId, snapshot_id: UUID) -> Behaviour:
        """What was tried as unsaved text.

        Raises:
            NotFound: somebody else's, or of a tool that one may not write.
            Expired: its time is over.
        """
        async with self._work.read() as unit:
            found = await own_snapshot(unit, actor, tool_id, snapshot_id, self._clock.now())
        return found.behaviour

    async def last_with_files(self, actor: Actor, tool_id: ToolId) -> Run | None:
        """The actor's last trial of a tool, if it had files and they are still kept."""
        wanted = RunFilter(requested_by=actor.subject, tool_id=tool_id, contexts=frozenset({RunContext.SANDBOX}))
        async with self._work.read() as unit:
            found = await unit.runs.page(wanted, 1)
        kept = [run for run in found if run.files and all(file.blob_key is not None for file in run.files)]
        return kept[0] if kept else None

    async def files_of(self, actor: Actor, tool_id: ToolId, run_id: RunId) -> Sequence[InputFile]:
        """The files of one of the actor's own trials of a tool.

        Raises:
            NotFound: no such trial of theirs.
            Expired: retention removed them.
        """
        async with self._work.read() as unit:
            run = await unit.runs.get(run_id)
        if (run.requested_by, run.tool_id, run.context) != (actor.subject, tool_id, RunContext.SANDBOX):
            raise NotFound("run", run_id)
        if run.inputs_expired_at is not None or any(file.blob_key is None for file in run.files):
            at = run.inputs_expired_at or self._clock.now()
            raise Expired("file", run_id, at.date().isoformat())
        return run.files

    async def _wanted(self, unit: RunUnit, actor: Actor, trial: Trial) -> tuple[Tool, Behaviour]:
        tool = await unit.tools.get(trial.tool_id)
        if not actor.may_write(await unit.tools.maintainers(tool.id)):
            raise NotFound("tool", trial.tool_id)
        start = Behaviour(source_code="")
        if trial.version_id is not None:
            version = await unit.versions.get(trial.version_id)
            if version.tool_id != tool.id:
                raise NotFound("version", trial.version_id)
            start = version.behaviour
        elif trial.fields is None:
            raise NotFound("version", "none")
        return tool, start if trial.fields is None else checked(start, trial.fields, self._environments, self._ceilings)

    async def _snapshot(self, unit: RunUnit, actor: Actor, tool_id: ToolId, behaviour: Behaviour) -> UUID:
        now = self._clock.now()
        wanted = behaviour_hash(behaviour)
        known = await unit.snapshots.equal(tool_id, actor.subject, wanted, now)
        if known is not None:
            await unit.snapshots.prolong(known.id, now + self._keep)
            return known.id
        made = SandboxSnapshot(
            self._ids.new(),
            tool_id,
            actor.subject,
            behaviour,
            content_hash(behaviour),
            wanted,
            now,
            now + self._keep,
        )
        await unit.snapshots.add(made)
        return made.id


async def own_snapshot(
    unit: RunUnit, actor: Actor, tool_id: ToolId, snapshot_id: UUID, now: datetime
) -> SandboxSnapshot:
    """Unsaved text that the actor tried.

    Raises:
        NotFound: somebody else's, or of a tool that one may not write.
        Expired: its time is over.
    """
    found = await unit.snapshots.get(snapshot_id)
    if (found.tool_id, found.author) != (tool_id, actor.subject):
        raise NotFound("snapshot", snapshot_id)
    if not actor.may_write(await unit.tools.maintainers(tool_id)):
        raise NotFound("snapshot", snapshot_id)
    if found.expires_at <= now:
        raise Expired("trial", snapshot_id, found.expires_at.date().isoformat())
    return found
