"""Go on with a tool: one step at a time, and only with what it offered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.fields.forms import form_issues
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.interaction.models import ToolSession, fields_of
from skriptoteket.core.interaction.ports import InteractionUnit
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.preferences.settings import settings_of_a_run
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.inputs import Upload
from skriptoteket.core.runs.models import InputFile, Run, RunContext, RunKind, RunState, SessionFiles
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.ports.neighbours import SESSION_IDLE_TIME
from skriptoteket.core.runs.queueing.admission import AdmissionRules, ensure_room
from skriptoteket.core.runs.submission import input_files, kept_for_the_next_step
from skriptoteket.core.runs.trials import own_snapshot


@dataclass(frozen=True, slots=True)
class WantedAction:
    """What a caller wants to go on with. ``run_id`` is the new run's; nobody sends a state.

    ``actor`` holds those of the authors' rights that the caller has: going on with a trial takes them anew.
    """

    run_id: RunId
    tool_id: ToolId
    actor: Actor
    action_id: str
    values: Mapping[str, object]
    expected_rev: int
    context: str = "default"
    locale: str = "en"
    session_files: SessionFiles = SessionFiles.NONE
    uploads: Sequence[Upload] = ()


class Interaction:
    """The verbs *look*, *act* and *start over*. Lives as long as the app."""

    def __init__(
        self,
        work: UnitOfWork[InteractionUnit],
        clock: Clock,
        bell: Doorbell,
        rules: AdmissionRules,
        idle: timedelta = SESSION_IDLE_TIME,
    ) -> None:
        self._work = work
        self._clock = clock
        self._bell = bell
        self._rules = rules
        self._idle = idle

    async def look(self, tool_id: ToolId, subject: str, context: str = "default") -> ToolSession | None:
        """The session as it stands now; ``None`` when there is none, or nobody used it for a day."""
        async with self._work.read() as unit:
            found = await unit.sessions.get(tool_id, subject, context)
        if found is None or found.pending_run_id is None:
            return self._alive(found)
        async with self._work.write() as unit:
            return await self._settled(unit, tool_id, subject, context)

    async def kept_files(self, tool_id: ToolId, subject: str, context: str = "default") -> Sequence[InputFile]:
        """The uploads that a next step may use.

        Raises:
            ValidationFailed: there are none.
        """
        found = await self.look(tool_id, subject, context)
        return kept_for_the_next_step(found.files if found is not None else ())

    async def start_over(self, tool_id: ToolId, subject: str, context: str = "default") -> None:
        """Forget offer and state; idempotent.

        Raises:
            Conflict: ``action_in_progress``.
        """
        async with self._work.write() as unit:
            found = await self._settled(unit, tool_id, subject, context)
            if found is not None and found.pending_run_id is not None:
                raise _in_progress(found)
            await unit.sessions.remove(tool_id, subject, context)

    async def act(self, wanted: WantedAction) -> Run:
        """Begin one step: everything is checked, and the run written, in one transaction before anything runs.

        Raises:
            NotFound: there is no session, the tool is hidden, or the trial is of a tool that one may no longer write.
            Conflict: ``state_rev_stale``, ``action_in_progress``, ``version_changed``.
            ValidationFailed: the action was not offered, or its fields are wrong.
            RunnerUnavailable, TooManyRuns, QueueFull.
        """
        async with self._work.write() as unit:
            session = await self._settled(unit, wanted.tool_id, wanted.actor.subject, wanted.context)
            if session is None:
                raise NotFound("session", wanted.tool_id)
            _check_turn(session, wanted)
            offering = await _offering(unit, session, wanted.actor)
            offering = replace(offering, limits=self._rules.clipped(offering.limits))
            values = _accepted(session, wanted)
            now = self._clock.now()
            room = (offering.environment, offering.limits, offering.requirements)
            await ensure_room(unit, self._rules, room, wanted.actor.subject, now)
            run = await self._next(unit, session, offering, wanted, values)
            await unit.runs.add(run)
            kept = () if wanted.session_files is SessionFiles.CLEAR else session.files
            moved = replace(session, rev=session.rev + 1, pending_run_id=run.id, last_used_at=now, files=kept)
            await unit.sessions.put(moved)
        await self._bell.ring(run.id)
        return run

    async def _settled(self, unit: InteractionUnit, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """The locked session once its pending run is over: a success offers anew, after another end the offer stays."""
        session = await unit.sessions.lock(tool_id, subject, context)
        if session is None or session.pending_run_id is None:
            return self._alive(session)
        try:
            run = await unit.runs.get(session.pending_run_id)
        except NotFound:
            run = None
        if run is not None and not run.state.terminal:
            return session
        moved = replace(session, rev=session.rev + 1, pending_run_id=None)
        if run is not None and run.state is RunState.SUCCEEDED:
            kept = (run.files or session.files) if run.next_actions else ()
            moved = replace(moved, offer=run.next_actions, state=run.state_out, run_id=run.id, files=kept)
        await unit.sessions.put(moved)
        return self._alive(moved)

    def _alive(self, session: ToolSession | None) -> ToolSession | None:
        over = session is None or session.last_used_at < self._clock.now() - self._idle
        return None if over else session

    async def context_of_trial(self, actor: Actor, tool_id: ToolId, snapshot_id: UUID) -> str:
        """Where the session of a trial of unsaved text is kept.

        Raises:
            NotFound: somebody else's trial, or of a tool that one may not write.
            Expired: its time is over.
        """
        async with self._work.read() as unit:
            await own_snapshot(unit, actor, tool_id, snapshot_id, self._clock.now())
        return f"sandbox:{snapshot_id}"

    async def _next(
        self,
        unit: InteractionUnit,
        session: ToolSession,
        offering: Run,
        wanted: WantedAction,
        values: Mapping[str, JsonValue],
    ) -> Run:
        settings = offering.settings
        if offering.context is RunContext.PRODUCTION and offering.version_id is not None:
            behaviour = (await unit.versions.get(offering.version_id)).behaviour
            settings = await settings_of_a_run(unit.preferences, session.tool_id, behaviour, wanted.actor.subject)
        now = self._clock.now()
        return Run(
            id=wanted.run_id,
            kind=RunKind.ACTION,
            context=offering.context,
            lane=offering.lane,
            state=RunState.QUEUED,
            tool_id=offering.tool_id,
            version_id=offering.version_id,
            snapshot_id=offering.snapshot_id,
            behaviour_hash=offering.behaviour_hash,
            requested_by=wanted.actor.subject,
            requested_at=now,
            environment=offering.environment,
            limits=offering.limits,
            requirements=offering.requirements,
            idempotent=offering.idempotent,
            settings=settings,
            files=input_files(wanted.uploads),
            action={"action_id": wanted.action_id, "input": dict(values)},
            session_state=session.state,
            locale=wanted.locale,
            queue_deadline=now + self._rules.queue_deadline,
        )


def _check_turn(session: ToolSession, wanted: WantedAction) -> None:
    if session.pending_run_id is not None:
        raise _in_progress(session)
    if session.rev != wanted.expected_rev:
        text = "You went on from here in another window. Look at the newest result first."
        raise Conflict("state_rev_stale", text, {"state_rev": session.rev})


def _in_progress(session: ToolSession) -> Conflict:
    facts = {"state_rev": session.rev, "run_id": str(session.pending_run_id)}
    text = "The step before this one is still running. Wait for its result, then go on from there."
    return Conflict("action_in_progress", text, facts)


async def _offering(unit: InteractionUnit, session: ToolSession, actor: Actor) -> Run:
    """The run whose version goes on."""
    if session.run_id is None:
        raise ValidationFailed([FieldIssue("action_id", "unknown", "the tool offers nothing to go on with")])
    offering = await unit.runs.get(session.run_id)
    if offering.context is RunContext.SANDBOX:
        if not actor.may_write(await unit.tools.maintainers(session.tool_id)):
            raise NotFound("session", session.tool_id)
        return offering
    tool = await unit.tools.get(session.tool_id)
    if not tool.is_visible or tool.active_version_id is None:
        raise NotFound("tool", session.tool_id)
    if tool.active_version_id != offering.version_id:
        raise Conflict("version_changed", "The tool has a new version since. Start over with it.", {})
    return offering


def _accepted(session: ToolSession, wanted: WantedAction) -> Mapping[str, JsonValue]:
    action = session.offered(wanted.action_id)
    if action is None:
        known = ", ".join(str(each["action_id"]) for each in session.offer) or "none"
        raise ValidationFailed([FieldIssue("action_id", "unknown", f"is not offered (offered: {known})")])
    values, issues = form_issues(fields_of(action), wanted.values)
    if issues:
        raise ValidationFailed(issues, wanted.values)
    return values
