"""One's settings of a tool, and instructions that were read."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.submitting import form_values
from skriptoteket.adapters.http.uploads import Received
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import Conflict, ValidationFailed
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import RUN
from skriptoteket.core.runs.submission import RunSubmission

router = APIRouter()

Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Kept = Annotated[Preferences, inject(Preferences)]
Page = Annotated[Pages, inject(Pages)]
People = Annotated[Readers, inject(Readers)]


@router.get("/tools/{slug}/settings", name="skriptoteket_settings")
@access(permission=RUN)
async def settings(
    slug: str,
    request: Request,
    principal: CurrentPrincipal,
    submissions: Submissions,
    kept: Kept,
    pages: Page,
    people: People,
) -> Response:
    """The form, filled in with what counts."""
    tool, version = await submissions.runnable(slug)
    view = await kept.look(tool.id, version.behaviour, principal.urn)
    context = {"reader": people.of(principal, request), "tool": tool, "view": view, "given": view.values, "issues": {}}
    return await pages.render(request, "skriptoteket/settings.html", {**context, "problem": ""})


@router.post("/tools/{slug}/settings", name="skriptoteket_save_settings")
@access(permission=RUN)
async def save(
    slug: str,
    request: Request,
    principal: CurrentPrincipal,
    submissions: Submissions,
    kept: Kept,
    pages: Page,
    people: People,
) -> Response:
    """Save; a wrong form, or one that somebody else's window overtook, is shown again with what was filled in."""
    tool, version = await submissions.runnable(slug)
    form = await request.form()
    texts = {name: [str(text) for text in form.getlist(name)] for name in form if name != "rev"}
    rev = str(form.get("rev", "0"))
    given: dict[str, object] = {}
    issues: dict[str, str] = {}
    problem, status = "", 422
    try:
        given = form_values(version.behaviour.settings_schema, Received(texts, []))
        expected = int(rev) if rev.isdigit() and len(rev) < 10 else 0
        await kept.save(tool.id, version.behaviour, principal.urn, given, expected)
        return RedirectResponse(request.url_for("skriptoteket_tool", slug=tool.slug).path, 303)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
    except Conflict as error:
        problem, status = f"{error} Look at what you have here, and save it again if it is right.", 409
    view = await kept.look(tool.id, version.behaviour, principal.urn)
    context = {"reader": people.of(principal, request), "tool": tool, "view": view, "given": given, "issues": issues}
    return await pages.render(request, "skriptoteket/settings.html", {**context, "problem": problem}, status)


@router.post("/tools/{slug}/instructions/seen", name="skriptoteket_instructions_seen")
@access(permission=RUN)
async def seen(
    slug: str, request: Request, principal: CurrentPrincipal, submissions: Submissions, kept: Kept
) -> Response:
    """Fold the instructions away until they change."""
    tool, version = await submissions.runnable(slug)
    await kept.see(tool.id, version.behaviour, principal.urn)
    return RedirectResponse(request.url_for("skriptoteket_tool", slug=tool.slug).path, 303)
