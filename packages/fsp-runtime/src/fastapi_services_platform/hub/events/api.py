"""The platform API of events: backlogs and dead letters."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fastapi_services_platform.events.backlog import DeadLetter
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.events.dead_letters import EventDesk, HandlerView

router = APIRouter()

Desk = Annotated[EventDesk, inject(EventDesk)]


class DeadLetterChoice(BaseModel):
    """Which dead letter, and why."""

    publisher: str = Field(max_length=120, description="The capability that published the event.")
    handler: str = Field(max_length=200, description="<capability>.<handler>, as the list names it.")
    sequence: int = Field(ge=1, le=2**53, description="The number of the event.")
    reason: str = Field("", max_length=500)


@router.get("/handlers", summary="Handlers of events and how far each is behind")
@access(permission="platform.events.read")
async def handlers(desk: Desk) -> list[HandlerView]:
    """Waiting, lag in seconds and dead letters by handler."""
    return await desk.handlers()


@router.get("/dead-letters", summary="Events that a handler could not handle")
@access(permission="platform.events.read")
async def dead_letters(desk: Desk, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[DeadLetter]:
    """Dead letters with the last error."""
    return await desk.dead_letters(limit)


@router.post("/dead-letters/retry", status_code=204, summary="Try a dead letter anew")
@access(permission="platform.events.change")
async def retry(choice: DeadLetterChoice, who: CurrentPrincipal, desk: Desk) -> None:
    """The event is delivered again from its first try."""
    await desk.retry(choice.publisher, choice.handler, choice.sequence, by=who.urn, reason=choice.reason)


@router.post("/dead-letters/discard", status_code=204, summary="Delete a dead letter")
@access(permission="platform.events.change")
async def discard(choice: DeadLetterChoice, who: CurrentPrincipal, desk: Desk) -> None:
    """The handler will never see the event."""
    await desk.discard(choice.publisher, choice.handler, choice.sequence, by=who.urn, reason=choice.reason)
