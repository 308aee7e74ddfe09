"""Hear from the platform that somebody has left."""

from fastapi_services_platform import EventHandler, ReceivedEvent
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.runs.oversight.leaving import Leaving, LeavingUnit

LEFT = ("subject.closed", "subject.erased")


def leaving_handlers(work: UnitOfWork[LeavingUnit]) -> tuple[EventHandler, ...]:
    """One handler for each event that says so; its key is the person's URN."""
    leaving = Leaving(work)

    async def forget(event: ReceivedEvent) -> None:
        await leaving.forget(event.key)

    return tuple(EventHandler(f"forget-{event}", event, forget) for event in LEFT)
