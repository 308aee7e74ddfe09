"""What becomes of drafts beside their text: listed, taken over, taken back out of review."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import uuid_of, version_id_of
from skriptoteket.adapters.web.editor import WRITING, EditorDesk
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.roles import AUTHOR
from skriptoteket.core.runs.observing.reliability import Reliability

router = APIRouter()

Desk = Annotated[EditorDesk, inject(EditorDesk)]
Page = Annotated[Pages, inject(Pages)]


@router.get("/my-tools", name="skriptoteket_my_tools")
@access(permission=AUTHOR)
async def my_tools(
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    reliability: Annotated[Reliability, inject(Reliability)],
) -> Response:
    """The tools that one maintains, with where each of them stands, who edits it and how it does."""
    actor = await desk.actors.of(principal, WRITING)
    rows = [await desk.drafting.versions(actor, tool.id) for tool in await desk.lookup.maintained_by(principal.urn)]
    locks = {tool.id: await desk.locking.held(actor, tool.id) for tool, _ in rows}
    context = {
        "reader": desk.readers.of(principal, request),
        "rows": rows,
        "locks": locks,
        "names": await desk.people.names(frozenset(lock.holder for lock in locks.values() if lock is not None)),
        "records": await reliability.of(set(locks)),
    }
    return await pages.render(request, "skriptoteket/my_tools.html", context)


@router.post("/editor/tools/{tool_id}/take-over", name="skriptoteket_take_over")
@access(permission=AUTHOR)
async def take_over(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    head: Annotated[str, Form(max_length=36)],
) -> Response:
    """Edit instead of whoever edits now; they are told."""
    actor = await desk.actors.of(principal, WRITING)
    taken = await desk.locking.acquire(actor, ToolId(uuid_of("tool", tool_id)), version_id_of(head), force=True)
    if taken.forced_by is not None:
        await desk.ledger.record(principal, "draft.taken_over", taken.tool_id)
    return RedirectResponse(request.url_for("skriptoteket_editor", tool_id=tool_id).path, 303)


@router.post("/editor/versions/{version_id}/withdraw", name="skriptoteket_withdraw")
@access(permission=AUTHOR)
async def withdraw(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    rationale: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Out of review again, as a draft."""
    actor = await desk.actors.of(principal, WRITING)
    archived, _ = await desk.reviewing.withdraw(actor, version_id_of(version_id), rationale)
    await desk.ledger.record(principal, "version.withdrawn", archived.id, rationale)
    return RedirectResponse(request.url_for("skriptoteket_editor", tool_id=str(archived.tool_id)).path, 303)
