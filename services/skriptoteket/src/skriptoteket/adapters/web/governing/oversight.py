"""Everybody's runs for those who look after them: a list without content, one run after a reason."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import Principal, access, marked
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import run_id_of
from skriptoteket.adapters.http.oversight import OversightDesk
from skriptoteket.adapters.web.run_view import view
from skriptoteket.adapters.web.texts import OUTCOME_WORDS, STATE_TONES, STATE_WORDS, Readers
from skriptoteket.core.errors import NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import RUN, VIEW_ANY_RUN
from skriptoteket.core.runs.models import OutcomeCode, RunState

router = APIRouter()

Desk = Annotated[OversightDesk, inject(OversightDesk)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]
Word = Annotated[str, Query(max_length=128)]

_PAGE = 30
NOTHING: Mapping[str, str] = MappingProxyType({})
EVERY_STATE = marked("Every state")
EVERY_OUTCOME = marked("Every outcome")


@router.get("/admin/runs", name="skriptoteket_admin_runs")
@access(permission=VIEW_ANY_RUN)
async def runs(
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    people: Reading,
    tool: Word = "",
    state: Word = "",
    outcome: Word = "",
    before: Annotated[UUID | None, Query()] = None,
) -> Response:
    """Newest first; the filter is in the address."""
    issues: Mapping[str, str] = {}
    rows = []
    try:
        wanted = await desk.wanted(tool.strip(), state, outcome)
        actor = await desk.actors.viewer(principal)
        rows = list(await desk.foreign.page(actor, wanted, _PAGE + 1, RunId(before) if before else None))
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
    except NotFound:
        issues = {"tool": "there is no tool with this address"}
    context = {
        "reader": people.of(principal, request),
        "rows": rows[:_PAGE],
        "older": rows[_PAGE - 1][0].id if len(rows) > _PAGE else None,
        "names": await desk.people.names(frozenset(run.requested_by for run, _ in rows)),
        "words": STATE_WORDS,
        "tones": STATE_TONES,
        "states": [("", EVERY_STATE), *((each.value, STATE_WORDS[each]) for each in RunState)],
        "outcomes": [("", EVERY_OUTCOME), *((each.value, OUTCOME_WORDS[each]) for each in OutcomeCode)],
        "filter": {"tool": tool, "state": state, "outcome": outcome},
        "issues": issues,
    }
    return await pages.render(request, "skriptoteket/admin_runs.html", context, 422 if issues else 200)


@router.get("/admin/runs/{run_id}", name="skriptoteket_admin_run")
@access(permission=VIEW_ANY_RUN)
async def run(
    run_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """All of it while a stated reason holds; before that the form for one."""
    wanted = run_id_of(run_id)
    try:
        seen = await desk.watching.see(wanted, await desk.actors.viewer(principal))
    except NotFound:
        return await _form(wanted, request, principal, desk, pages, people)
    return await pages.render(request, "skriptoteket/run.html", view(request, seen, principal, people, None))


@router.post("/admin/runs/{run_id}", name="skriptoteket_open_run")
@access(permission=VIEW_ANY_RUN)
async def open_run(
    run_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    people: Reading,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """State the reason, then see the run."""
    wanted = run_id_of(run_id)
    try:
        await desk.open(principal, wanted, reason)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _form(wanted, request, principal, desk, pages, people, issues=issues, reason=reason)
    return RedirectResponse(request.url_for("skriptoteket_admin_run", run_id=run_id).path, 303)


@router.post("/my-runs/{run_id}/share", name="skriptoteket_share_run")
@access(permission=RUN)
async def share(
    run_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, wanted: Annotated[bool, Form()]
) -> Response:
    """Share with the tool's maintainers, or no longer."""
    await desk.share(principal, run_id_of(run_id), wanted)
    return RedirectResponse(request.url_for("skriptoteket_run", run_id=run_id).path, 303)


@router.post("/my-runs/{run_id}/remove", name="skriptoteket_remove_run")
@access(permission=RUN)
async def remove(run_id: str, request: Request, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Empty one's run at once, then back to the list."""
    await desk.remove(principal, run_id_of(run_id))
    return RedirectResponse(request.url_for("skriptoteket_runs").path, 303)


async def _form(
    run_id: RunId,
    request: Request,
    principal: Principal,
    desk: OversightDesk,
    pages: Pages,
    people: Readers,
    *,
    issues: Mapping[str, str] = NOTHING,
    reason: str = "",
) -> Response:
    run, tool = await desk.foreign.glance(await desk.actors.viewer(principal), run_id)
    context = {
        "reader": people.of(principal, request),
        "run": run,
        "tool": tool,
        "names": await desk.people.names(frozenset({run.requested_by})),
        "word": STATE_WORDS[run.state],
        "tone": STATE_TONES[run.state],
        "issues": issues,
        "reason": reason,
    }
    return await pages.render(request, "skriptoteket/admin_run.html", context, 422 if issues else 200)
