"""Suggest and triage."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, uuid_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.errors import ValidationFailed
from skriptoteket.core.governance.suggestions.models import Idea
from skriptoteket.core.governance.suggestions.triage import Suggesting, Verdict
from skriptoteket.core.roles import SUGGEST, TRIAGE

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SuggestionDesk:
    """Everything that the pages of suggestions need. Lives as long as the app."""

    suggesting: Suggesting
    browsing: Browsing
    actors: Actors
    people: People
    readers: Readers
    ledger: Ledger


Desk = Annotated[SuggestionDesk, inject(SuggestionDesk)]
Page = Annotated[Pages, inject(Pages)]

EMPTY = Idea("", "", (), ())


@router.get("/suggestions/new", name="skriptoteket_suggest")
@access(permission=SUGGEST)
async def new(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """The form for an idea."""
    return await _form(request, principal, desk, pages, EMPTY, {})


@router.post("/suggestions/new", name="skriptoteket_file_suggestion")
@access(permission=SUGGEST)
async def suggest(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """File the idea; a wrong form is shown again."""
    idea = await _idea(request)
    try:
        await desk.suggesting.suggest(await desk.actors.of(principal, (SUGGEST,)), idea)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _form(request, principal, desk, pages, idea, issues)
    return RedirectResponse(request.url_for("skriptoteket_my_suggestions").path, 303)


@router.get("/suggestions/mine", name="skriptoteket_my_suggestions")
@access(permission=SUGGEST)
async def mine(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """One's own ideas with their verdicts."""
    context = {"reader": desk.readers.of(principal, request), "rows": await desk.suggesting.mine(principal.urn)}
    return await pages.render(request, "skriptoteket/suggestions.html", context)


@router.get("/admin/suggestions", name="skriptoteket_triage")
@access(permission=TRIAGE)
async def triage(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Everybody's ideas, newest first."""
    rows = await desk.suggesting.every(await desk.actors.of(principal, (TRIAGE,)))
    names = await desk.people.names(frozenset(each.suggested_by for each in rows))
    context = {"reader": desk.readers.of(principal, request), "rows": rows, "names": names}
    return await pages.render(request, "skriptoteket/admin_suggestions.html", context)


@router.get("/admin/suggestions/{suggestion_id}", name="skriptoteket_suggestion")
@access(permission=TRIAGE)
async def one(suggestion_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """One idea, to be decided."""
    return await _decision_form(suggestion_id, request, principal, desk, pages, {})


@router.post("/admin/suggestions/{suggestion_id}", name="skriptoteket_decide_suggestion")
@access(permission=TRIAGE)
async def decide(
    suggestion_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page
) -> Response:
    """Accept or deny, with a reason."""
    actor = await desk.actors.of(principal, (TRIAGE,))
    wanted = uuid_of("suggestion", suggestion_id)
    form = await request.form()
    before, _ = await desk.suggesting.one(actor, wanted)
    may_author = await desk.people.may_author(before.suggested_by)
    verdict = Verdict(str(form.get("verdict", "")), str(form.get("rationale", "")), await _idea(request), may_author)
    try:
        decided = await desk.suggesting.decide(actor, wanted, verdict)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _decision_form(suggestion_id, request, principal, desk, pages, issues)
    await desk.ledger.record(principal, "suggestion.decided", decided.id, verdict.rationale, verdict=decided.status)
    return RedirectResponse(request.url_for("skriptoteket_triage").path, 303)


async def _idea(request: Request) -> Idea:
    form = await request.form()
    tags = {name: tuple(str(each) for each in form.getlist(name)) for name in ("professions", "categories")}
    return Idea(str(form.get("title", "")), str(form.get("description", "")), **tags)


async def _form(
    request: Request,
    principal: CurrentPrincipal,
    desk: SuggestionDesk,
    pages: Pages,
    idea: Idea,
    issues: dict[str, str],
) -> Response:
    context = {
        "reader": desk.readers.of(principal, request),
        "idea": idea,
        "issues": issues,
        "professions": await desk.browsing.professions(),
        "categories": await desk.browsing.categories(),
    }
    return await pages.render(request, "skriptoteket/suggest.html", context, 422 if issues else 200)


async def _decision_form(
    suggestion_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: SuggestionDesk,
    pages: Pages,
    issues: dict[str, str],
) -> Response:
    actor = await desk.actors.of(principal, (TRIAGE,))
    found, decision = await desk.suggesting.one(actor, uuid_of("suggestion", suggestion_id))
    context = {
        "reader": desk.readers.of(principal, request),
        "suggestion": found,
        "decision": decision,
        "issues": issues,
        "professions": await desk.browsing.professions(),
        "categories": await desk.browsing.categories(),
        "names": await desk.people.names(frozenset({found.suggested_by})),
    }
    return await pages.render(request, "skriptoteket/admin_suggestion.html", context, 422 if issues else 200)
