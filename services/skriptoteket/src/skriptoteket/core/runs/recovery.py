"""Rescue runs after a crash: every run whose worker is gone ends honestly, or waits again if it may be repeated."""

from collections.abc import Collection

from skriptoteket.core.errors import Fenced
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.ports.unit import RunUnit


class Recovery:
    """Moves orphans and overdue runs on."""

    def __init__(self, uow: UnitOfWork[RunUnit], clock: Clock, max_tries: int) -> None:
        self._uow = uow
        self._clock = clock
        self._max_tries = max_tries

    async def take_over(self, host_id: str, me: WorkerId) -> tuple[Run, ...]:
        """At the start of a worker: its predecessors on this host are dead, so their runs need not wait for a lease.

        ``host_id`` names host and state directory; the caller holds the lock file that admits one worker to it.
        """
        async with self._uow.write() as unit:
            dead = [one.id for one in await unit.workers.all() if one.host_id == host_id and one.id != me]
            rescued = await self._rescue(unit, dead)
            for worker in dead:
                await unit.workers.remove(worker)
        return rescued

    async def sweep(self) -> tuple[Run, ...]:
        """Runs whose lease is over, and queued runs past their deadline."""
        async with self._uow.read() as unit:
            anything = await unit.queue.orphans()
        async with self._uow.write() as unit:
            rescued = await self._rescue(unit, ()) if anything else ()
            overdue = await unit.queue.overdue(self._clock.now())
        return (*rescued, *overdue)

    async def _rescue(self, unit: RunUnit, dead: Collection[WorkerId]) -> tuple[Run, ...]:
        rescued: list[Run] = []
        for orphan in await unit.queue.orphans(dead):
            try:
                run = await unit.queue.rescue(orphan, self._max_tries, self._clock.now())
            except Fenced:
                continue
            told: dict[str, JsonValue] = {"state": run.state.value}
            kind = "done" if run.state.terminal else "state"
            await unit.runs.append_events(run.id, [(kind, told)], self._clock.now())
            rescued.append(run)
        return tuple(rescued)
