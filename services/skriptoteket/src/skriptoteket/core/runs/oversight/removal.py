"""A person removes a run of theirs at once: every class of data goes, the emptied row stays for the statistics."""

from dataclasses import replace

from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.ports.unit import RunUnit


class Removal:
    """The verb *remove*. Files go before rows are emptied, so nothing stays unnoticed."""

    def __init__(self, work: UnitOfWork[RunUnit], files: ArtifactStore, clock: Clock) -> None:
        self._work = work
        self._files = files
        self._clock = clock

    async def remove(self, run_id: RunId, subject: str) -> None:
        """Idempotent.

        Raises:
            NotFound: somebody else's.
            Conflict: ``wrong_state``: it is not over.
            StorageUnavailable: nothing was emptied; ask again.
        """
        async with self._work.read() as unit:
            run = await unit.runs.get(run_id)
        if run.requested_by != subject:
            raise NotFound("run", run_id)
        if not run.state.terminal:
            raise Conflict("wrong_state", "Cancel the run first, or wait until it is over.", {"state": run.state})
        if run.deleted_at is None:
            await self.empty(run_id)

    async def empty(self, run_id: RunId) -> None:
        """Every class of data of a run that is over, whoever asked for it.

        Raises:
            StorageUnavailable: as above.
        """
        async with self._work.read() as unit:
            run = await unit.runs.get(run_id)
            artifacts = await unit.runs.artifacts(run_id)
        lent = [file.blob_key for file in run.files if run.owns(file)]
        for key in (*lent, *(each.blob_key for each in artifacts)):
            if key is not None:
                await self._files.delete(key)
        now = self._clock.now()
        async with self._work.write() as unit:
            await unit.runs.forget_artifacts(run_id)
            await unit.runs.forget_logs(run_id)
            await unit.sessions.forget_run(run_id)
            emptied = replace(
                await unit.runs.get(run_id),
                files=(),
                values={},
                settings={},
                action=None,
                session_state=None,
                message="",
                author_detail="",
                outputs=(),
                next_actions=(),
                state_out=None,
                shared_at=None,
                inputs_expired_at=now,
                artifacts_expired_at=now,
                logs_expired_at=now,
                result_expired_at=now,
                deleted_at=now,
            )
            await unit.runs.update(emptied)
