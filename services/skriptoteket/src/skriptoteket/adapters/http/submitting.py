"""From a request to a submitted run: admission first, then the body, then one durable row."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request

from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import language_of
from skriptoteket.adapters.http.uploads import Received, UploadReader
from skriptoteket.adapters.http.used_again import copy_files, delete_uploads, wanted_files
from skriptoteket.core.errors import FieldIssue, MalformedUpload, ValidationFailed
from skriptoteket.core.fields.forms import Fields, plain_fields
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.inputs import Upload, UploadLimits
from skriptoteket.core.runs.models import SessionFiles
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.submission import RunSubmission, Submission, Submitted
from skriptoteket.core.runs.watching import RunWatching, SeenRun

FAST_RESULT = timedelta(milliseconds=400)
"""How long a form waits for its result before the page shows progress."""

_FIRST_PAUSE = 0.005
_GROWTH = 1.2
_LONGEST_PAUSE = 0.25
_NOT_FIELDS = ("csrf_token", "submission_key", "inputs", "session_files")


@dataclass(frozen=True, slots=True)
class SubmissionDesk:
    """Everything that taking a submission needs. Lives as long as the app."""

    submissions: RunSubmission
    watching: RunWatching
    files: ArtifactStore
    limits: UploadLimits
    ids: Ids
    default_locale: str = "en"

    async def take(
        self, request: Request, principal: Principal, tool_slug: str, idempotency_key: str | None = None
    ) -> tuple[Submitted, Received]:
        """Submit what the request brings.

        Raises:
            NotFound, RunnerUnavailable, TooManyRuns, QueueFull: before the body is read.
            MalformedUpload, PayloadTooLarge, ValidationFailed, IdempotencyKeyReused, StorageUnavailable.
        """
        _, version = await self.submissions.admit(tool_slug, principal.urn)
        run_id = RunId(self.ids.new())
        reader = UploadReader(self.files, f"runs/{run_id}/inputs", self.limits)
        received = await reader.read(request)
        copied: Sequence[Upload] = ()
        try:
            schema = version.behaviour.input_schema
            session_files = wanted_files(received.texts.get("session_files", ()))
            if session_files is SessionFiles.REUSE and not received.uploads:
                copied = await self._kept(principal, tool_slug, run_id)
            wanted = Submission(
                run_id=run_id,
                tool_slug=tool_slug,
                requested_by=principal.urn,
                values=form_values(schema, received),
                uploads=received.uploads or copied,
                session_files=session_files,
                locale=language_of(request),
                idempotency_key=idempotency_key or next(iter(received.texts.get("submission_key", ())), None),
            )
            submitted = await self.submissions.submit(wanted)
        except BaseException:
            await self._discard(reader, copied)
            raise
        if submitted.replayed:
            await self._discard(reader, copied)
        return submitted, received

    async def _kept(self, principal: Principal, tool_slug: str, run_id: RunId) -> Sequence[Upload]:
        return await copy_files(self.files, await self.submissions.kept_files(tool_slug, principal.urn), run_id)

    async def _discard(self, reader: UploadReader, copied: Sequence[Upload]) -> None:
        await reader.discard()
        await delete_uploads(self.files, copied)

    async def take_values(
        self,
        principal: Principal,
        tool_slug: str,
        values: Mapping[str, object],
        idempotency_key: str | None,
        session_files: SessionFiles = SessionFiles.NONE,
    ) -> Submitted:
        """Submit values without files of their own.

        Raises:
            NotFound, RunnerUnavailable, TooManyRuns, QueueFull, ValidationFailed, IdempotencyKeyReused.
        """
        run_id = RunId(self.ids.new())
        reuses = session_files is SessionFiles.REUSE
        copied = await self._kept(principal, tool_slug, run_id) if reuses else ()
        try:
            submitted = await self.submissions.submit(
                Submission(
                    run_id=run_id,
                    tool_slug=tool_slug,
                    requested_by=principal.urn,
                    values=values,
                    uploads=copied,
                    locale=principal.locale or self.default_locale,
                    idempotency_key=idempotency_key,
                    session_files=session_files,
                )
            )
        except BaseException:
            await delete_uploads(self.files, copied)
            raise
        if submitted.replayed:
            await delete_uploads(self.files, copied)
        return submitted

    async def wait(self, run_id: RunId, subject: str, time: timedelta) -> SeenRun:
        """The run once it is over, or as it is when the time is."""
        if time > timedelta(0):
            try:
                async with asyncio.timeout(time.total_seconds()):
                    pause = _FIRST_PAUSE
                    while not await self.watching.over(run_id):
                        await asyncio.sleep(pause)
                        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
            except TimeoutError:
                pass  # the time is over: the run as it is is the answer
        return await self.watching.see(run_id, Actor(subject))


def form_values(schema: Fields, received: Received, beside: Collection[str] = ()) -> dict[str, object]:
    """Texts of a form as values, without those ``beside`` them; ``inputs`` may hold them all as one JSON object."""
    several = {str(field["name"]) for field in plain_fields(schema) if field["kind"] == "multi_enum"}
    values: dict[str, object] = {}
    for name, texts in received.texts.items():
        if name in _NOT_FIELDS or name in beside:
            continue
        if len(texts) > 1 and name not in several:
            raise ValidationFailed([FieldIssue(name, "duplicate", "was sent more than once")])
        values[name] = texts if name in several else texts[0]
    for text in received.texts.get("inputs", ()):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise MalformedUpload("the part inputs is no JSON.") from None
        if not isinstance(given, dict):
            raise ValidationFailed([FieldIssue("inputs", "type", "must be an object of values by field name")])
        values |= given
    return values
