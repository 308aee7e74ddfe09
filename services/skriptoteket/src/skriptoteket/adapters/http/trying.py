"""From a request to a sandbox run: the same streaming of files as for users, other rights."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from fastapi_services_platform import Principal
from skriptoteket.adapters.http.submitting import form_values
from skriptoteket.adapters.http.uploads import UploadReader
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.ports import ArtifactStore
from skriptoteket.core.runs.trials import Trial, Trials

Chosen = tuple[VersionId | None, dict[str, object] | None]


@dataclass(frozen=True, slots=True)
class TrialDesk:
    """Everything that taking a trial needs. Lives as long as the app."""

    trials: Trials
    files: ArtifactStore
    limits: UploadLimits
    ids: Ids

    async def take(
        self,
        request: Request,
        principal: Principal,
        actor: Actor,
        tool_id: ToolId,
        choose: Callable[[dict[str, list[str]]], Chosen],
    ) -> Run:
        """Queue what the request brings. ``choose`` takes its own fields out of the form.

        Raises:
            NotFound, MalformedUpload, PayloadTooLarge, ValidationFailed, RunnerUnavailable, TooManyRuns, QueueFull.
        """
        run_id = RunId(self.ids.new())
        reader = UploadReader(self.files, run_id, self.limits)
        received = await reader.read(request)
        try:
            version_id, fields = choose(received.texts)
            trial = Trial(run_id, tool_id, {}, received.uploads, version_id, fields, principal.locale or "en")
            behaviour = await self.trials.behaviour(actor, trial)
            values = form_values(behaviour.input_schema, received)
            return await self.trials.submit(
                actor,
                Trial(run_id, tool_id, values, received.uploads, version_id, fields, principal.locale or "en"),
            )
        except BaseException:
            await reader.discard()
            raise
