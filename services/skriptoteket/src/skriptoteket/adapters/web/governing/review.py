"""Compare, decide, publish."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, version_id_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.differences import difference
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.web.texts import STATE_TONES, STATE_WORDS, Readers
from skriptoteket.core.errors import Conflict, FieldIssue, Forbidden, ValidationFailed
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, PUBLISH, REVIEW
from skriptoteket.core.runs.watching import RunWatching
from skriptoteket.core.versions.publication import Expected, Publication
from skriptoteket.core.versions.review import Reviewing

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """Everything that the review pages need. Lives as long as the app."""

    reviewing: Reviewing
    publication: Publication
    watching: RunWatching
    actors: Actors
    people: People
    readers: Readers
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands in the form, and why it was not taken."""

    rationale: str = ""
    show: bool = False
    problem: str = ""
    issues: tuple[FieldIssue, ...] = ()
    status: int = 200


Desk = Annotated[ReviewDesk, inject(ReviewDesk)]
Page = Annotated[Pages, inject(Pages)]


@router.get("/reviews", name="skriptoteket_reviews")
@access(permission=REVIEW)
async def reviews(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Everything that waits, oldest first."""
    rows = await desk.reviewing.queue()
    names = await desk.people.names(frozenset(version.submitted_by or "" for _, version in rows))
    context = {"reader": desk.readers.of(principal, request), "rows": rows, "names": names}
    return await pages.render(request, "skriptoteket/reviews.html", context)


@router.get("/reviews/{version_id}", name="skriptoteket_review")
@access(permission=REVIEW)
async def review(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    against: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """What changed against the active version or another one, who wrote it, who tried it, what was decided so far."""
    return await _case(version_id, request, principal, desk, pages, Verdict(), against)


@router.post("/reviews/{version_id}", name="skriptoteket_decide")
@access(permission=REVIEW)
async def decide(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    verdict: Annotated[str, Form()],
    behaviour_hash: Annotated[str, Form()],
    rationale: Annotated[str, Form()] = "",
    show: Annotated[bool, Form()] = False,
) -> Response:
    """Publish or send back what was looked at; whatever stands against it, the reason comes back."""
    wanted = version_id_of(version_id)
    actor = await desk.actors.of(principal, (AUTHOR, AUTHOR_ANY, REVIEW, PUBLISH))
    given = Verdict(rationale, show)
    try:
        if verdict == "publish":
            done = await desk.publication.publish(actor, wanted, Expected(behaviour_hash), rationale, show=show)
            await desk.ledger.record(principal, "version.published", done.new_active_version_id, rationale)
        elif verdict == "request_changes":
            archived, _ = await desk.reviewing.request_changes(actor, wanted, rationale)
            await desk.ledger.record(principal, "version.changes_requested", archived.id, rationale)
        else:
            raise ValidationFailed([FieldIssue("verdict", "unknown", "must be publish or request_changes")])
    except ValidationFailed as error:
        given = replace(given, issues=error.issues, status=422)
    except (Conflict, Forbidden) as error:
        given = replace(given, problem=str(error), status=409 if isinstance(error, Conflict) else 403)
    if given.status != 200:
        return await _case(version_id, request, principal, desk, pages, given)
    return RedirectResponse(request.url_for("skriptoteket_reviews").path, 303)


async def _case(
    version_id: str,
    request: Request,
    principal: Principal,
    desk: ReviewDesk,
    pages: Pages,
    given: Verdict,
    against: str = "",
) -> Response:
    actor = await desk.actors.of(principal, (REVIEW, PUBLISH))
    case = await desk.reviewing.case(actor, version_id_of(version_id))
    other = next((each for each in case.versions if str(each.id) == against), case.active)
    trials = await desk.watching.trials(case.tool.id, case.version.behaviour_hash)
    people = {each.created_by for each in case.chain} | {each.by for each in case.decisions}
    people |= {each.requested_by for each in trials} | {case.version.submitted_by or ""}
    context = {
        "reader": desk.readers.of(principal, request),
        "case": case,
        "other": other,
        "compared": [(str(each.id), str(each.version_number)) for each in case.versions if each.id != case.version.id],
        "changes": difference(other.behaviour if other is not None else None, case.version.behaviour),
        "trials": trials,
        "words": STATE_WORDS,
        "tones": STATE_TONES,
        "names": await desk.people.names(frozenset(people)),
        "may_publish": actor.holds(PUBLISH),
        "waits": case.version.state == "in_review",
        "given": given,
        "issues": {issue.field: issue.message for issue in given.issues},
    }
    return await pages.render(request, "skriptoteket/review.html", context, given.status)
