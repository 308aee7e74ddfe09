"""Runs beyond one's own: listed, opened for a reason, shared, removed; each act with its line in the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from fastapi_services_platform import Principal
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import OutcomeCode, Run, RunState
from skriptoteket.core.runs.oversight.foreign import ForeignRuns
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.sight import RunAccess
from skriptoteket.core.runs.watching import RunWatching


@dataclass(frozen=True, slots=True)
class OversightDesk:
    """Everything that these verbs need over HTTP. Lives as long as the app."""

    foreign: ForeignRuns
    watching: RunWatching
    removal: Removal
    lookup: ToolLookup
    actors: Actors
    people: People
    ledger: Ledger

    async def open(self, principal: Principal, run_id: RunId, reason: str) -> RunAccess:
        """See all of somebody's run for half an hour. Raises as :meth:`ForeignRuns.open`."""
        opened = await self.foreign.open(await self.actors.viewer(principal), run_id, reason)
        await self.ledger.record(principal, "run.opened", run_id, opened.reason)
        return opened

    async def share(self, principal: Principal, run_id: RunId, wanted: bool) -> Run:
        """Share one's run with the tool's maintainers, or no longer. Raises as :meth:`ForeignRuns.share`."""
        run = await self.foreign.share(await self.actors.viewer(principal), run_id, wanted)
        await self.ledger.record(principal, "run.shared" if wanted else "run.unshared", run_id)
        return run

    async def remove(self, principal: Principal, run_id: RunId) -> None:
        """Empty one's run. Raises as :meth:`Removal.remove`."""
        await self.removal.remove(run_id, principal.urn)
        await self.ledger.record(principal, "run.removed", run_id)

    async def cancel(self, principal: Principal, run_id: RunId) -> Run:
        """Cancel one's run, or as an operator somebody's. Raises as :meth:`RunWatching.cancel`."""
        run = await self.watching.cancel(run_id, await self.actors.viewer(principal))
        if run.requested_by != principal.urn:
            await self.ledger.record(principal, "run.cancelled", run_id, requester=run.requested_by)
        return run

    async def wanted(
        self,
        tool: str = "",
        state: str = "",
        outcome: str = "",
        after: datetime | None = None,
        until: datetime | None = None,
    ) -> RunFilter:
        """What a list shows.

        Raises:
            NotFound: there is no such tool.
            ValidationFailed: there is no such state or outcome.
        """
        issues = []
        if state and state not in set(RunState):
            issues.append(FieldIssue("state", "choice", f"must be one of {', '.join(RunState)}"))
        if outcome and outcome not in set(OutcomeCode):
            issues.append(FieldIssue("outcome", "choice", f"must be one of {', '.join(OutcomeCode)}"))
        if issues:
            raise ValidationFailed(issues)
        return RunFilter(
            tool_id=await self.lookup.id_of(tool) if tool else None,
            states=frozenset({RunState(state)}) if state else None,
            outcomes=frozenset({outcome}) if outcome else None,
            after=after,
            until=until,
        )
