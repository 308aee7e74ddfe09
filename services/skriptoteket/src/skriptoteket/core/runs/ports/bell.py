"""How the worker hears that something waits for it."""

from typing import Protocol

from skriptoteket.core.identifiers import RunId


class Doorbell(Protocol):
    """Tells a worker that a run waits or shall be cancelled: a hint only, a 1 s poll is the safety net. Never
    raises."""

    async def ring(self, run_id: RunId) -> None: ...
