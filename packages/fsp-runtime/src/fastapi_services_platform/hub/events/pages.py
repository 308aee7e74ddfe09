"""The page on which operators see events and decide about dead letters."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.events.dead_letters import EventDesk
from fastapi_services_platform.hub.operations.sections import visible_sections

router = APIRouter()

_SHOWN = 100


@router.get("/events", name="platform.events")
@access(permission="platform.events.read")
async def events_page(
    request: Request,
    who: CurrentPrincipal,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[EventDesk, inject(EventDesk)],
) -> Response:
    """How far every handler is behind, and what was put aside."""
    context = {
        "sections": await visible_sections(pages, who),
        "handlers": await desk.handlers(),
        "dead_letters": await desk.dead_letters(_SHOWN),
        "may_change": await pages.allowed(who, "platform.events.change"),
    }
    return await pages.render(request, "hub/events.html", context)


@router.post("/events", name="platform.decide_dead_letter")
@access(permission="platform.events.change")
async def decide(
    who: CurrentPrincipal,
    desk: Annotated[EventDesk, inject(EventDesk)],
    step: Annotated[Literal["retry", "discard"], Form()],
    publisher: Annotated[str, Form(max_length=120)],
    handler: Annotated[str, Form(max_length=200)],
    sequence: Annotated[int, Form(ge=1, le=2**53)],
) -> Response:
    """Retry or discard one dead letter."""
    change = desk.retry if step == "retry" else desk.discard
    await change(publisher, handler, sequence, by=who.urn)
    return RedirectResponse("/platform/events", status_code=303)
