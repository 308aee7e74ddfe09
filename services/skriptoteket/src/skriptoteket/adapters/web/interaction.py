"""Go on from a result: the forms that a tool offered below it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject, language_of
from skriptoteket.adapters.http.acting import Actors, run_id_of
from skriptoteket.adapters.http.submitting import FAST_RESULT, SubmissionDesk, form_values
from skriptoteket.adapters.http.uploads import Received
from skriptoteket.adapters.http.used_again import Stepping
from skriptoteket.adapters.web.run_view import Attempt, offer, view
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import Conflict, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.interaction.actions import Interaction, WantedAction
from skriptoteket.core.interaction.models import fields_of
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, RUN
from skriptoteket.core.runs.models import SessionFiles
from skriptoteket.core.runs.watching import RunWatching

router = APIRouter()

Stepper = Annotated[Stepping, inject(Stepping)]
Steps = Annotated[Interaction, inject(Interaction)]
Watching = Annotated[RunWatching, inject(RunWatching)]
Desk = Annotated[SubmissionDesk, inject(SubmissionDesk)]
Page = Annotated[Pages, inject(Pages)]
People = Annotated[Readers, inject(Readers)]
NewIds = Annotated[Ids, inject(Ids)]
Rights = Annotated[Actors, inject(Actors)]


@router.post("/my-runs/{run_id}/actions", name="skriptoteket_run_action")
@access(permission=RUN)
async def act(
    run_id: str,
    request: Request,
    principal: CurrentPrincipal,
    steps: Steps,
    stepping: Stepper,
    watching: Watching,
    desk: Desk,
    pages: Page,
    people: People,
    ids: NewIds,
    rights: Rights,
) -> Response:
    """Begin the step and go to its run; whatever is wrong, the form comes back as it was filled in."""
    seen = await watching.see(run_id_of(run_id), await rights.viewer(principal))
    form = await request.form()
    action_id = str(form.get("action_id", ""))
    rev = str(form.get("state_rev", ""))
    action = next((each for each in seen.run.next_actions if each["action_id"] == action_id), None)
    if action is None:
        raise NotFound("action", action_id)
    own = ("action_id", "state_rev", "csrf_token", "session_files")
    texts = {name: [str(text) for text in form.getlist(name)] for name in form if name not in own}
    attempt, status = Attempt(action_id), 422
    try:
        values = form_values(fields_of(action), Received(texts, []))
        attempt = Attempt(action_id, values)
        wanted = WantedAction(
            RunId(ids.new()),
            seen.tool.id,
            await rights.of(principal, (AUTHOR, AUTHOR_ANY)),
            action_id,
            values,
            int(rev) if rev.isdigit() and len(rev) < 10 else 0,
            seen.run.session_context,
            language_of(request),
            SessionFiles.REUSE if form.get("session_files") == "reuse" else SessionFiles.NONE,
        )
        run = await stepping.act(wanted)
        await desk.wait(run.id, principal.urn, FAST_RESULT)
        return RedirectResponse(request.url_for("skriptoteket_run", run_id=str(run.id)).path, 303)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        attempt = Attempt(action_id, attempt.given, issues)
    except Conflict as error:
        attempt, status = Attempt(action_id, attempt.given, problem=str(error)), 409
    found = await offer(steps, seen, principal)
    context = view(request, seen, principal, people, found, attempt)
    return await pages.render(request, "skriptoteket/run.html", context, status)
