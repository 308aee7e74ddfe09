"""Files of an earlier run as uploads of a new one: copied, so that each run owns and loses its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from skriptoteket.core.errors import Expired, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.interaction.actions import Interaction, WantedAction
from skriptoteket.core.runs.inputs import HEAD_BYTES, Upload
from skriptoteket.core.runs.models import InputFile, Run, SessionFiles
from skriptoteket.core.runs.ports.files import ArtifactStore


async def copy_files(files: ArtifactStore, given: Sequence[InputFile], run_id: RunId) -> list[Upload]:
    """Uploads with the same content; when one cannot be copied none is kept.

    Raises:
        Expired: one is not there any more.
        StorageUnavailable.
    """
    made: list[Upload] = []
    try:
        for number, file in enumerate(given):
            made.append(await _copied(files, file, f"runs/{run_id}/inputs/again-{number}"))
    except BaseException as error:
        await delete_uploads(files, made)
        if isinstance(error, NotFound):
            raise Expired("file", run_id, datetime.now(UTC).date().isoformat()) from None
        raise
    return made


async def delete_uploads(files: ArtifactStore, uploads: Sequence[Upload]) -> None:
    """Files that no run got."""
    for upload in uploads:
        await files.delete(upload.blob_key)


async def _copied(files: ArtifactStore, file: InputFile, key: str) -> Upload:
    stored = await files.write(key, files.read(str(file.blob_key)))
    head = b"".join([piece async for piece in files.read(key, 0, min(HEAD_BYTES, file.bytes))])
    return Upload(file.field, file.original_name, stored.bytes, stored.sha256, key, head)


def wanted_files(texts: Sequence[str]) -> SessionFiles:
    """The choice in a form: ``none`` where there is none.

    Raises:
        ValidationFailed: it is another word.
    """
    try:
        return SessionFiles(texts[0]) if texts else SessionFiles.NONE
    except ValueError:
        text = "must be none, reuse or clear"
        raise ValidationFailed([FieldIssue("session_files", "choice", text)]) from None


class Stepping:
    """The verb *act*, with the files of the step before where the caller wants them. Lives as long as the app."""

    def __init__(self, steps: Interaction, files: ArtifactStore) -> None:
        self._steps = steps
        self._files = files

    async def act(self, wanted: WantedAction) -> Run:
        """Begin the step; when it is refused no copy is left.

        Raises:
            ValidationFailed: no files are kept; and everything that :meth:`Interaction.act` raises.
            Expired: the files were removed.
        """
        if wanted.session_files is not SessionFiles.REUSE:
            return await self._steps.act(wanted)
        kept = await self._steps.kept_files(wanted.tool_id, wanted.actor.subject, wanted.context)
        uploads = await copy_files(self._files, kept, wanted.run_id)
        try:
            return await self._steps.act(replace(wanted, uploads=uploads))
        except BaseException:
            await delete_uploads(self._files, uploads)
            raise
