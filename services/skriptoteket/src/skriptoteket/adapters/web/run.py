"""Upload, wait, read, download."""

import csv
import io
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, run_id_of
from skriptoteket.adapters.http.archive import archived
from skriptoteket.adapters.http.downloads import deliver, disposition, safe_headers
from skriptoteket.adapters.http.oversight import OversightDesk
from skriptoteket.adapters.http.submitting import FAST_RESULT, SubmissionDesk
from skriptoteket.adapters.web.catalog import unavailable
from skriptoteket.adapters.web.result_blocks import csv_cell, markdown_html
from skriptoteket.adapters.web.run_view import offer, view
from skriptoteket.adapters.web.texts import STATE_TONES, STATE_WORDS, Readers
from skriptoteket.core.errors import NotFound, PayloadTooLarge, ValidationFailed
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.interaction.actions import Interaction
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import RUN
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.watching import RunWatching

submissions = APIRouter()
router = APIRouter()

Desk = Annotated[SubmissionDesk, inject(SubmissionDesk)]
Steps = Annotated[Interaction, inject(Interaction)]
Watching = Annotated[RunWatching, inject(RunWatching)]
Files = Annotated[ArtifactStore, inject(ArtifactStore)]
Page = Annotated[Pages, inject(Pages)]
People = Annotated[Readers, inject(Readers)]
NewIds = Annotated[Ids, inject(Ids)]
Oversight = Annotated[OversightDesk, inject(OversightDesk)]
Rights = Annotated[Actors, inject(Actors)]

_PAGE = 20


@router.get("/tools/{slug}/run", name="skriptoteket_run_form")
@access(permission=RUN)
async def form(
    slug: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: People, ids: NewIds
) -> Response:
    """The form of a tool."""
    return await _form(slug, request, principal, desk, pages, people, ids, issues={}, given={}, status=200)


@submissions.post("/tools/{slug}/run", name="skriptoteket_run_submit")
@access(permission=RUN)
async def submit(
    slug: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: People, ids: NewIds
) -> Response:
    """Submit the form; a fast result is there at once. A wrong form is shown again with what was filled in."""
    try:
        submitted, _ = await desk.take(request, principal, slug)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        given = error.given
        return await _form(slug, request, principal, desk, pages, people, ids, issues=issues, given=given, status=422)
    except PayloadTooLarge as error:
        issues = {"": str(error)}
        return await _form(slug, request, principal, desk, pages, people, ids, issues=issues, given={}, status=413)
    await desk.wait(submitted.run.id, principal.urn, FAST_RESULT)
    return RedirectResponse(request.url_for("skriptoteket_run", run_id=str(submitted.run.id)).path, 303)


@router.get("/my-runs", name="skriptoteket_runs")
@access(permission=RUN)
async def runs(
    request: Request,
    principal: CurrentPrincipal,
    watching: Watching,
    pages: Page,
    people: People,
    before: Annotated[UUID | None, Query()] = None,
) -> Response:
    """One's own runs, newest first."""
    rows = await watching.mine(principal.urn, _PAGE + 1, RunId(before) if before is not None else None)
    context = {
        "reader": people.of(principal, request),
        "rows": rows[:_PAGE],
        "older": rows[_PAGE - 1][0].id if len(rows) > _PAGE else None,
        "newer": before is not None,
        "words": STATE_WORDS,
        "tones": STATE_TONES,
    }
    return await pages.render(request, "skriptoteket/runs.html", context)


@router.get("/my-runs/{run_id}", name="skriptoteket_run")
@access(permission=RUN)
async def run(
    run_id: str,
    request: Request,
    principal: CurrentPrincipal,
    steps: Steps,
    desk: Oversight,
    pages: Page,
    people: People,
) -> Response:
    """One run: how far it is, then what came out."""
    seen = await desk.watching.see(run_id_of(run_id), await desk.actors.viewer(principal))
    names = await desk.people.names(frozenset(each.by for each in seen.accesses))
    context = view(request, seen, principal, people, await offer(steps, seen, principal), names=names)
    return await pages.render(request, "skriptoteket/run.html", context)


@router.get("/my-runs/{run_id}/live", name="skriptoteket_run_live")
@access(permission=RUN)
async def live(
    run_id: str,
    request: Request,
    principal: CurrentPrincipal,
    watching: Watching,
    rights: Rights,
    steps: Steps,
    pages: Page,
    people: People,
) -> Response:
    """The part of the page that changes while a run lives; it stops asking by itself when the run is over."""
    seen = await watching.see(run_id_of(run_id), await rights.viewer(principal))
    text = await pages.text(
        request,
        "skriptoteket/run_live.html",
        view(request, seen, principal, people, await offer(steps, seen, principal)),
    )
    return Response(text, media_type="text/html", headers={"cache-control": "no-store"})


@router.post("/my-runs/{run_id}/cancel", name="skriptoteket_run_cancel")
@access(permission=RUN)
async def cancel(run_id: str, request: Request, principal: CurrentPrincipal, desk: Oversight) -> Response:
    """Cancel, then back to the run."""
    await desk.cancel(principal, run_id_of(run_id))
    return RedirectResponse(request.url_for("skriptoteket_run", run_id=run_id).path, 303)


@router.get("/my-runs/{run_id}/artifacts.zip", name="skriptoteket_archive")
@access(permission=RUN)
async def archive(
    run_id: str, principal: CurrentPrincipal, watching: Watching, rights: Rights, files: Files
) -> Response:
    """Every file in one archive."""
    tool, found = await watching.artifacts(run_id_of(run_id), await rights.viewer(principal))
    return await archived(files, found, tool.slug)


@router.get("/my-runs/{run_id}/artifacts/{artifact_id}", name="skriptoteket_artifact")
@access(permission=RUN)
async def artifact(
    run_id: str,
    artifact_id: str,
    request: Request,
    principal: CurrentPrincipal,
    watching: Watching,
    rights: Rights,
    files: Files,
    inline: bool = False,
) -> Response:
    """A file as a download; pictures also inside the page."""
    found = await watching.artifact(run_id_of(run_id), artifact_id, await rights.viewer(principal))
    return await deliver(request, files, found, inline=inline)


@router.get("/my-runs/{run_id}/tables/{index}", name="skriptoteket_table_csv")
@access(permission=RUN)
async def table_csv(
    run_id: str, index: int, principal: CurrentPrincipal, watching: Watching, rights: Rights
) -> Response:
    """A table of the result as a CSV file that no spreadsheet takes for formulas."""
    seen = await watching.see(run_id_of(run_id), await rights.viewer(principal))
    block = seen.run.outputs[index] if 0 <= index < len(seen.run.outputs) else {}
    columns, rows = block.get("columns"), block.get("rows")
    if block.get("kind") != "table" or not isinstance(columns, list) or not isinstance(rows, list):
        raise NotFound("table", index)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([csv_cell(column.get("label")) for column in columns if isinstance(column, dict)])
    writer.writerows([csv_cell(cell) for cell in row] for row in rows if isinstance(row, list))
    name = f"{seen.tool.slug}-{index + 1}.csv"
    body = text.getvalue().encode("utf-8-sig")
    return Response(body, headers=safe_headers(disposition("attachment", name), "text/csv; charset=utf-8"))


async def _form(
    slug: str,
    request: Request,
    principal: Principal,
    desk: SubmissionDesk,
    pages: Pages,
    people: Readers,
    ids: Ids,
    *,
    issues: dict[str, str],
    given: dict[str, object],
    status: int,
) -> Response:
    tool, version = await desk.submissions.runnable(slug)
    context = {
        "reader": people.of(principal, request),
        "tool": tool,
        "version": version,
        "fields": version.behaviour.input_schema,
        "settings": version.behaviour.settings_schema,
        "instructions": markdown_html(version.behaviour.usage_instructions),
        "limits": desk.limits,
        "issues": issues,
        "given": given,
        "submission_key": str(ids.new()),
        "unavailable": await unavailable(desk.submissions, slug, principal.urn),
    }
    return await pages.render(request, "skriptoteket/run_form.html", context, status)
