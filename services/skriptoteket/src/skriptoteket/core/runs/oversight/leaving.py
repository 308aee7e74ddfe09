"""Forget who is here no more: what they kept goes at once, and after an erasure their runs and their name as well."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from skriptoteket.core.errors import Conflict
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.runs.models import Run, RunState
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.ports.unit import RunUnit

ERASED = "urn:fsp:erased:"
"""What the URN of an erased person begins with; a trigger lets such names, and no other, into history."""

_LEFT = "owner_left"
_BATCH = 100


class NameStore(Protocol):
    """Every place that names a subject."""

    async def replace(self, subject: str, pseudonym: str) -> int:
        """Put the pseudonym wherever the subject is named; how many rows."""
        ...


class LeavingUnit(RunUnit, Protocol):
    """One transaction as this verb sees it."""

    @property
    def names(self) -> NameStore: ...


class Leaving:
    """Idempotent: whoever has left may be told of again."""

    def __init__(self, work: UnitOfWork[LeavingUnit], clock: Clock, ids: Ids, bell: Doorbell) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._bell = bell

    async def forget(self, subject: str) -> None:
        """Settings, seen instructions, favourites, tool sessions and schedules of a person, by their URN."""
        async with self._work.write() as unit:
            await unit.preferences.forget(subject)
            await unit.sessions.forget(subject)
            await unit.schedules.forget(subject)

    async def erase(self, subject: str, removal: Removal) -> int:
        """What :meth:`forget` forgets, every run with its files, and the person's name; how many rows named them.

        What others rely on stays, under a pseudonym: tools, versions, decisions, the record of a run.

        Raises:
            Conflict: ``wrong_state``: a run of theirs is being stopped; ask again in a moment.
            StorageUnavailable: a file could not be deleted; ask again.
        """
        await self.forget(subject)
        await self._stop(subject)
        alive = False
        async for run in self._runs(subject):
            if run.state.terminal:
                await removal.empty(run.id)
            alive = alive or not run.state.terminal
        if alive:
            text = "Runs of this person are being stopped. Ask again in a moment."
            raise Conflict("wrong_state", text, {"state": RunState.RUNNING})
        async with self._work.write() as unit:
            return await unit.names.replace(subject, f"{ERASED}{self._ids.new().hex}")

    async def _stop(self, subject: str) -> None:
        now, asked = self._clock.now(), []
        async for run in self._runs(subject):
            if run.state in (RunState.QUEUED, RunState.STARTING, RunState.RUNNING):
                async with self._work.write() as unit:
                    asked.append((await unit.queue.request_cancel(run.id, _LEFT, now)).id)
        for run_id in asked:
            await self._bell.ring(run_id)

    async def _runs(self, subject: str) -> AsyncIterator[Run]:
        before: RunId | None = None
        while True:
            async with self._work.read() as unit:
                found: Sequence[Run] = await unit.runs.page(RunFilter(requested_by=subject), _BATCH, before)
            for run in found:
                yield run
            if len(found) < _BATCH:
                return
            before = found[-1].id
