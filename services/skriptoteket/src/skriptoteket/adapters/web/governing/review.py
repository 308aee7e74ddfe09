"""Compare, decide, publish, roll back."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, version_id_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.differences import difference
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, PUBLISH, REVIEW, ROLLBACK
from skriptoteket.core.versions.publication import Expected, Publication
from skriptoteket.core.versions.review import Reviewing

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """Everything that the review pages need. Lives as long as the app."""

    reviewing: Reviewing
    publication: Publication
    actors: Actors
    people: People
    readers: Readers
    ledger: Ledger


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
async def review(version_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """What changed against the active version, who wrote it, and what was decided so far."""
    return await _case(version_id, request, principal, desk, pages)


@router.post("/reviews/{version_id}", name="skriptoteket_decide")
@access(permission=REVIEW)
async def decide(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    verdict: Annotated[str, Form()],
    behaviour_hash: Annotated[str, Form()],
    rationale: Annotated[str, Form(max_length=4000)] = "",
    show: Annotated[bool, Form()] = False,
) -> Response:
    """Publish or send back what was looked at."""
    wanted = version_id_of(version_id)
    actor = await desk.actors.of(principal, (AUTHOR, AUTHOR_ANY, REVIEW, PUBLISH))
    if verdict == "publish":
        done = await desk.publication.publish(actor, wanted, Expected(behaviour_hash), rationale, show=show)
        await desk.ledger.record(principal, "version.published", done.new_active_version_id, rationale)
    elif verdict == "request_changes":
        archived, _ = await desk.reviewing.request_changes(actor, wanted, rationale)
        await desk.ledger.record(principal, "version.changes_requested", archived.id, rationale)
    else:
        raise ValidationFailed([FieldIssue("verdict", "unknown", "must be publish or request_changes")])
    return RedirectResponse(request.url_for("skriptoteket_reviews").path, 303)


@router.post("/admin/versions/{version_id}/rollback", name="skriptoteket_roll_back")
@access(permission=ROLLBACK)
async def roll_back(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    behaviour_hash: Annotated[str, Form()],
    rationale: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Bring back what was published once."""
    actor = await desk.actors.of(principal, (ROLLBACK,))
    done = await desk.publication.roll_back(actor, version_id_of(version_id), Expected(behaviour_hash), rationale)
    await desk.ledger.record(principal, "version.rolled_back", done.new_active_version_id, rationale)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=str(done.tool_id)).path, 303)


async def _case(
    version_id: str, request: Request, principal: CurrentPrincipal, desk: ReviewDesk, pages: Pages
) -> Response:
    actor = await desk.actors.of(principal, (REVIEW, PUBLISH))
    case = await desk.reviewing.case(actor, version_id_of(version_id))
    people = {each.created_by for each in case.chain} | {each.by for each in case.decisions}
    context = {
        "reader": desk.readers.of(principal, request),
        "case": case,
        "changes": difference(case.active.behaviour if case.active is not None else None, case.version.behaviour),
        "names": await desk.people.names(frozenset({*people, case.version.submitted_by or ""})),
        "may_publish": actor.holds(PUBLISH),
        "waits": case.version.state == "in_review",
    }
    return await pages.render(request, "skriptoteket/review.html", context)
