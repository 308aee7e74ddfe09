"""Heartbeat and fencing: keep the leases of live runs, and give up what cannot be kept."""

import time
from collections.abc import Collection, Mapping
from datetime import timedelta

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.runs.execution import Executor
from skriptoteket.core.runs.models import Claim, Run
from skriptoteket.core.runs.ports.unit import RunUnit

_GIVE_UP_SHARE = 2 / 3


class Leases:
    """The claims of one worker."""

    def __init__(self, uow: UnitOfWork[RunUnit], executor: Executor, lease_seconds: float) -> None:
        self._uow = uow
        self._executor = executor
        self._lease = timedelta(seconds=lease_seconds)
        self._give_up_after = lease_seconds * _GIVE_UP_SHARE
        self._held: dict[RunId, Claim] = {}
        self._renewed = time.monotonic()

    @property
    def held(self) -> Mapping[RunId, Claim]:
        """Claims of runs that are being executed."""
        return self._held

    @property
    def duration(self) -> timedelta:
        """How long a lease lives without a heartbeat."""
        return self._lease

    def hold(self, run: Run) -> None:
        """Keep the lease of a run from now on."""
        if run.claim is not None:
            self._held[run.id] = run.claim

    def drop(self, run: Run) -> None:
        """The run is over, or somebody else's."""
        self._held.pop(run.id, None)

    async def renew(self) -> Collection[RunId]:
        """One heartbeat. The answer is the runs that were lost; their sandboxes are killed.

        Raises whatever the database raises; :meth:`give_up_if_late` decides what that means.
        """
        claims = tuple(self._held.values())
        if claims:
            async with self._uow.write() as unit:
                kept = {claim.run_id for claim in await unit.queue.renew(claims, self._lease)}
            lost = [claim.run_id for claim in claims if claim.run_id not in kept]
            for run_id in lost:
                await self._executor.stop(run_id, "fenced")
        else:
            lost = []
        self._renewed = time.monotonic()
        return lost

    async def give_up_if_late(self) -> bool:
        """Kill every run when no heartbeat got through for so long that others may already have taken over."""
        if time.monotonic() - self._renewed < self._give_up_after:
            return False
        for run_id in tuple(self._held):
            await self._executor.stop(run_id, "fenced")
        return True

    async def obey_cancels(self) -> None:
        """Kill the runs that somebody wants cancelled."""
        claims = tuple(self._held.values())
        if not claims:
            return
        async with self._uow.read() as unit:
            wanted = await unit.queue.cancel_requested(claims)
        for claim in wanted:
            await self._executor.stop(claim.run_id, "cancelled")
