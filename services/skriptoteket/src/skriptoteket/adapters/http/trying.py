"""From a request to a sandbox run: the same streaming of files as for users, other rights."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import Request

from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import language_of
from skriptoteket.adapters.http.acting import run_id_of
from skriptoteket.adapters.http.submitting import form_values
from skriptoteket.adapters.http.uploads import UploadReader
from skriptoteket.adapters.http.used_again import copy_files
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.fields.values import accept_value
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.inputs import Upload, UploadLimits
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.ports.files import ArtifactStore
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
        reader = UploadReader(self.files, f"runs/{run_id}/inputs", self.limits)
        received = await reader.read(request)
        try:
            version_id, fields = choose(received.texts)
            settings = _settings(received.texts)
            again = received.texts.pop("files_from", ())
            if again and not received.uploads:
                received.uploads += await self.copied(actor, tool_id, run_id_of(again[0]), run_id)
            trial = Trial(
                run_id,
                tool_id,
                {},
                received.uploads,
                version_id,
                fields,
                language_of(request),
                settings,
                _wants_check(received.texts),
            )
            behaviour = await self.trials.behaviour(actor, trial)
            return await self.trials.submit(actor, replace(trial, values=form_values(behaviour.input_schema, received)))
        except BaseException:
            await reader.discard()
            raise

    async def copied(self, actor: Actor, tool_id: ToolId, source: RunId, run_id: RunId) -> list[Upload]:
        """The files of an earlier trial of one's own, as uploads of a new run.

        Raises:
            NotFound, Expired, StorageUnavailable.
        """
        return await copy_files(self.files, await self.trials.files_of(actor, tool_id, source), run_id)


def _settings(texts: dict[str, list[str]]) -> dict[str, object] | None:
    """Settings of one trial, sent as one JSON object; ``None`` where the kept ones count."""
    for text in texts.pop("settings", ()):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise ValidationFailed([FieldIssue("settings", "type", "must be an object of values by field name")])
        return given
    return None


def _wants_check(texts: dict[str, list[str]]) -> bool:
    for text in texts.pop("check_only", ()):
        value, problem = accept_value({"kind": "boolean"}, text)
        if problem is not None:
            raise ValidationFailed([FieldIssue("check_only", *problem)])
        return bool(value)
    return False
