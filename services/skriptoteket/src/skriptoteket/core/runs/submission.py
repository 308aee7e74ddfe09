"""Submit a run: check the tool, the input and whether there is room, then write one durable row."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FieldIssue, IdempotencyKeyReused, NotFound, ValidationFailed
from skriptoteket.core.fields.forms import form_issues
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.preferences.settings import settings_of_a_run
from skriptoteket.core.runs.inputs import Upload, file_issues, unique_names
from skriptoteket.core.runs.models import InputFile, Lane, Run, RunContext, RunKind, RunState, SessionFiles
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.ports.records import Remembered
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.admission import AdmissionRules, ensure_room
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants to be run. ``run_id`` exists before the row does: uploads are stored under it."""

    run_id: RunId
    tool_slug: str
    requested_by: str
    values: Mapping[str, object]
    uploads: Sequence[Upload] = ()
    locale: str = "en"
    idempotency_key: str | None = None
    session_files: SessionFiles = SessionFiles.NONE


@dataclass(frozen=True, slots=True)
class Submitted:
    """The run that answers a submission; ``replayed`` when it existed already."""

    run: Run
    tool: Tool
    replayed: bool = False


class RunSubmission:
    """The verb *run this tool*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock, bell: Doorbell, rules: AdmissionRules) -> None:
        self._work = work
        self._clock = clock
        self._bell = bell
        self._rules = rules

    async def runnable(self, tool_slug: str) -> tuple[Tool, ToolVersion]:
        """The tool with its active version.

        Raises:
            NotFound: hidden, unpublished or half-consistent; which of them is not told.
        """
        async with self._work.read() as unit:
            return await runnable_tool(unit, tool_slug)

    async def admit(self, tool_slug: str, requested_by: str) -> tuple[Tool, ToolVersion]:
        """Ask before the body is read: is there such a tool, a worker for it, and room.

        Raises:
            NotFound, RunnerUnavailable, TooManyRuns, QueueFull.
        """
        async with self._work.read() as unit:
            tool, version = await runnable_tool(unit, tool_slug)
            await self._ensure_room(unit, version.behaviour, requested_by)
            return tool, version

    async def kept_files(self, tool_slug: str, requested_by: str) -> Sequence[InputFile]:
        """The uploads that the caller's last result of an interactive tool keeps.

        Raises:
            NotFound: the tool cannot be run.
            ValidationFailed: there are none.
        """
        async with self._work.read() as unit:
            tool, _ = await runnable_tool(unit, tool_slug)
            found = await unit.sessions.kept_files(tool.id, requested_by, "default")
        return kept_for_the_next_step(found)

    async def submit(self, wanted: Submission) -> Submitted:
        """Write the run and ring the bell.

        Raises:
            NotFound, ValidationFailed, PayloadTooLarge, IdempotencyKeyReused, RunnerUnavailable, TooManyRuns,
            QueueFull.
        """
        try:
            submitted = await self._submit(wanted)
        except Conflict as error:
            if error.reason != "duplicate":
                raise
            submitted = await self._submit(wanted)  # another request with this key was kept in the same moment
        if not submitted.replayed:
            await self._bell.ring(submitted.run.id)
        return submitted

    async def _submit(self, wanted: Submission) -> Submitted:
        async with self._work.write() as unit:
            tool, version = await runnable_tool(unit, wanted.tool_slug)
            values = accepted_input(version.behaviour, wanted.values, wanted.uploads, [])
            fingerprint = _fingerprint(version, values, wanted.uploads)
            if wanted.idempotency_key is not None:
                earlier = await self._earlier(unit, wanted, fingerprint)
                if earlier is not None:
                    return Submitted(earlier, tool, replayed=True)
            await self._ensure_room(unit, version.behaviour, wanted.requested_by)
            settings = await settings_of_a_run(unit.preferences, tool.id, version.behaviour, wanted.requested_by)
            run = replace(self._run(wanted, tool, version, values), settings=settings)
            await unit.runs.add(run)
            keep_files = wanted.session_files is not SessionFiles.CLEAR
            await unit.sessions.begin(run, self._clock.now(), keep_files=keep_files)
            if wanted.idempotency_key is not None:
                scope = _scope(wanted)
                now = self._clock.now()
                await unit.runs.remember(scope, Remembered(fingerprint, run.id), now, now + timedelta(hours=24))
            return Submitted(run, tool)

    async def _earlier(self, unit: RunUnit, wanted: Submission, fingerprint: str) -> Run | None:
        known = await unit.runs.remembered(_scope(wanted), self._clock.now())
        if known is None:
            return None
        if known.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        return await unit.runs.get(known.run_id)

    async def _ensure_room(self, unit: RunUnit, behaviour: Behaviour, requested_by: str) -> None:
        room = (behaviour.environment, self._rules.limits(behaviour.limits), behaviour.requirements)
        await ensure_room(unit, self._rules, room, requested_by, self._clock.now())

    def _run(self, wanted: Submission, tool: Tool, version: ToolVersion, values: Mapping[str, JsonValue]) -> Run:
        now = self._clock.now()
        behaviour = version.behaviour
        return Run(
            id=wanted.run_id,
            kind=RunKind.PRODUCTION,
            context=RunContext.PRODUCTION,
            lane=Lane.INTERACTIVE,
            state=RunState.QUEUED,
            tool_id=tool.id,
            version_id=version.id,
            snapshot_id=None,
            behaviour_hash=version.behaviour_hash,
            requested_by=wanted.requested_by,
            requested_at=now,
            environment=behaviour.environment,
            limits=self._rules.limits(behaviour.limits),
            requirements=behaviour.requirements,
            idempotent=behaviour.idempotent,
            files=input_files(wanted.uploads),
            values=values,
            locale=wanted.locale,
            queue_deadline=now + self._rules.queue_deadline,
        )


def input_files(uploads: Sequence[Upload]) -> tuple[InputFile, ...]:
    """The uploads as files of a run, each under a name of its own."""
    names = unique_names([upload.original_name for upload in uploads])
    return tuple(
        InputFile(upload.field, name, upload.original_name, upload.size, upload.sha256, upload.blob_key)
        for upload, name in zip(uploads, names, strict=True)
    )


def kept_for_the_next_step(files: Sequence[InputFile]) -> Sequence[InputFile]:
    """The files of a session, to be used again.

    Raises:
        ValidationFailed: there are none.
    """
    if not files:
        text = "no files are kept from the step before; choose them again"
        raise ValidationFailed([FieldIssue("session_files", "nothing_kept", text)])
    return files


async def runnable_tool(unit: RunUnit, tool_slug: str) -> tuple[Tool, ToolVersion]:
    """A tool that people can run, with its active version.

    Raises:
        NotFound: hidden, unpublished or half-consistent; which of them is not told.
    """
    tool = await unit.tools.by_slug(tool_slug)
    if tool is None:
        raise NotFound("tool", tool_slug)
    return tool, await runnable_version(unit, tool, tool_slug)


async def runnable_version(unit: RunUnit, tool: Tool, called: str) -> ToolVersion:
    """The active version of a visible tool. Raises ``NotFound``, as :func:`runnable_tool`."""
    if not tool.is_visible or tool.active_version_id is None:
        raise NotFound("tool", called)
    try:
        version = await unit.versions.get(tool.active_version_id)
    except NotFound:
        raise NotFound("tool", called) from None
    if version.tool_id != tool.id or version.state is not VersionState.ACTIVE:
        raise NotFound("tool", called)
    return version


def accepted_input(
    behaviour: Behaviour,
    given: Mapping[str, object],
    uploads: Sequence[Upload],
    issues: Sequence[FieldIssue],
    *,
    stored: bool = False,
) -> dict[str, JsonValue]:
    """The values that a run gets; ``stored`` uploads were looked into when they came.

    Raises:
        ValidationFailed: with ``issues`` and everything that is wrong with values and files.
        PayloadTooLarge: a file is bigger than its field allows.
    """
    values, wrong = form_issues(behaviour.input_schema, given)
    told = (*issues, *wrong, *file_issues(behaviour.input_schema, uploads, look=not stored))
    if told:
        raise ValidationFailed(told, given)
    return values


def _fingerprint(version: ToolVersion, values: Mapping[str, JsonValue], uploads: Sequence[Upload]) -> str:
    files = sorted([upload.field, upload.original_name, upload.sha256] for upload in uploads)
    text = json.dumps([str(version.id), values, files], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _scope(wanted: Submission) -> str:
    return f"{wanted.requested_by}\n/tools/{wanted.tool_slug}/runs\n{wanted.idempotency_key}"
