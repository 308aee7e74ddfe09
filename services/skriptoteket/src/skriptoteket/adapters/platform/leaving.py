"""Hear from the platform that somebody has left."""

from collections.abc import Awaitable, Callable

from fastapi_services_platform import EventHandler, ReceivedEvent
from skriptoteket.core.runs.oversight.leaving import Leaving
from skriptoteket.core.runs.oversight.removal import Removal

CLOSED, ERASED = "subject.closed", "subject.erased"


def leaving_handlers(leaving: Leaving, removing: Callable[[], Awaitable[Removal]]) -> tuple[EventHandler, ...]:
    """One handler for each event that says so; its key is the person's URN. What fails is delivered again."""

    async def forget(event: ReceivedEvent) -> None:
        await leaving.forget(event.key)

    async def erase(event: ReceivedEvent) -> None:
        await leaving.forget(event.key)  # needs no files, so a store that is down does not hold it up
        await leaving.erase(event.key, await removing())

    return (EventHandler(f"forget-{CLOSED}", CLOSED, forget), EventHandler(f"forget-{ERASED}", ERASED, erase))
