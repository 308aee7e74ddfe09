"""Other people's runs: listed without their content, opened for a reason, shared by their requester."""

from collections.abc import Sequence
from datetime import datetime

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import VIEW_ANY_RUN, Actor
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.sight import ACCESS_TIME, RunAccess

SHORTEST_REASON = 10
LONGEST_REASON = 500


class ForeignRuns:
    """The verbs *list*, *open* and *share*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def page(
        self, actor: Actor, wanted: RunFilter, limit: int, before: RunId | None = None
    ) -> Sequence[tuple[Run, Tool]]:
        """Everybody's runs, newest first; who, which tool, when and how it ended is all a list may show.

        Raises:
            NotFound: the actor does not look after runs.
        """
        if not actor.holds(VIEW_ANY_RUN):
            raise NotFound("page", "runs")
        async with self._work.read() as unit:
            runs = await unit.runs.page(wanted, limit, before)
            tools = {tool_id: await unit.tools.get(tool_id) for tool_id in {run.tool_id for run in runs}}
            return [(run, tools[run.tool_id]) for run in runs]

    async def glance(self, actor: Actor, run_id: RunId) -> tuple[Run, Tool]:
        """One run as the list shows it. Raises ``NotFound``."""
        if not actor.holds(VIEW_ANY_RUN):
            raise NotFound("run", run_id)
        async with self._work.read() as unit:
            run = await _there(unit, run_id)
            return run, await unit.tools.get(run.tool_id)

    async def open(self, actor: Actor, run_id: RunId, reason: str) -> RunAccess:
        """See all of somebody's run for half an hour; its requester reads the reason.

        Raises:
            NotFound: no such run, or the actor does not look after runs.
            ValidationFailed: the reason is too short or too long.
        """
        if not actor.holds(VIEW_ANY_RUN):
            raise NotFound("run", run_id)
        text = reason.strip()
        if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
            rule = f"must have {SHORTEST_REASON} to {LONGEST_REASON} characters; the person reads it"
            raise ValidationFailed([FieldIssue("reason", "length", rule)])
        now = self._clock.now()
        async with self._work.write() as unit:
            run = await _there(unit, run_id)
            made = RunAccess(self._ids.new(), run.id, actor.subject, now, now + ACCESS_TIME, text)
            await unit.runs.note_access(made)
            return made

    async def share(self, actor: Actor, run_id: RunId, wanted: bool) -> Run:
        """Let the tool's maintainers see how one's run ended, or no longer; idempotent.

        Raises:
            NotFound: not one's own.
            Conflict: ``wrong_state``: it is not over.
        """
        async with self._work.write() as unit:
            run = await _there(unit, run_id)
            if run.requested_by != actor.subject:
                raise NotFound("run", run_id)
            if wanted and not run.state.terminal:
                raise Conflict("wrong_state", "A run can be shared when it is over.", {"state": run.state})
            if wanted == (run.shared_at is not None):
                return run
            changed = run.with_share(self._clock.now() if wanted else None)
            await unit.runs.update(changed)
            return changed

    async def shared(self, actor: Actor, tool_id: ToolId, limit: int) -> Sequence[Run]:
        """What was shared with the tool's maintainers, newest first; nothing for others."""
        async with self._work.read() as unit:
            if not actor.may_write(await unit.tools.maintainers(tool_id)):
                return []
            return await unit.runs.page(RunFilter(tool_id=tool_id, shared=True), limit)

    async def accesses(self, run_id: RunId) -> Sequence[RunAccess]:
        """Who opened a run and why, oldest first."""
        async with self._work.read() as unit:
            return await unit.runs.accesses(run_id)


async def _there(unit: RunUnit, run_id: RunId) -> Run:
    run = await unit.runs.get(run_id)
    if run.deleted_at is not None:
        raise NotFound("run", run_id)
    return run


def day_bounds(after: datetime | None, before: datetime | None) -> dict[str, datetime]:
    """Filter members for a span of time."""
    return {name: at for name, at in (("after", after), ("until", before)) if at is not None}
