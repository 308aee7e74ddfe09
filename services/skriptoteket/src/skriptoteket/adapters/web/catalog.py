"""Choose a tool: the catalogue and one tool's page."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.web.result_blocks import markdown_html
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.errors import NotFound, QueueFull, RunnerUnavailable, TooManyRuns
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import BROWSE, SCHEDULE
from skriptoteket.core.runs.submission import RunSubmission

router = APIRouter()

Catalogue = Annotated[Browsing, inject(Browsing)]
Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Page = Annotated[Pages, inject(Pages)]
Kept = Annotated[Preferences, inject(Preferences)]
People = Annotated[Readers, inject(Readers)]
Rights = Annotated[Actors, inject(Actors)]
Query200 = Annotated[str, Query(max_length=200)]


@router.get("/browse", name="skriptoteket_browse")
@access(permission=BROWSE)
async def browse(
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    pages: Page,
    people: People,
    q: Query200 = "",
    favourites: bool = False,
) -> Response:
    """The whole catalogue."""
    return await _shelf(request, principal, catalogue, pages, people, query=q, favourites=favourites)


@router.get("/browse/{profession}", name="skriptoteket_browse_profession")
@access(permission=BROWSE)
async def browse_profession(
    profession: str,
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    pages: Page,
    people: People,
    q: Query200 = "",
) -> Response:
    """The tools of a profession."""
    await catalogue.categories(profession)
    return await _shelf(request, principal, catalogue, pages, people, query=q, profession=profession)


@router.get("/browse/{profession}/{category}", name="skriptoteket_browse_category")
@access(permission=BROWSE)
async def browse_category(
    profession: str,
    category: str,
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    pages: Page,
    people: People,
    q: Query200 = "",
) -> Response:
    """The tools of a profession for one kind of task."""
    if category not in {each.slug for each in await catalogue.categories(profession)}:
        raise NotFound("category", category)
    return await _shelf(request, principal, catalogue, pages, people, query=q, profession=profession, category=category)


@router.get("/tools/{slug}", name="skriptoteket_tool")
@access(permission=BROWSE)
async def tool(
    slug: str,
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    submissions: Submissions,
    pages: Page,
    people: People,
    kept: Kept,
    rights: Rights,
) -> Response:
    """What a tool does and how it is used."""
    found, version = await submissions.runnable(slug)
    if found.slug != slug:
        return RedirectResponse(request.url_for("skriptoteket_tool", slug=found.slug).path, 308)
    favourites = await catalogue.shelf(principal.urn, favourites_only=True)
    reader = people.of(principal, request)
    context = {
        "reader": reader,
        "tool": found,
        "version": version,
        "favourite": found.id in favourites.favourites,
        "professions": [each for each in favourites.professions if each.slug in found.professions],
        "categories": [each for each in favourites.categories if each.slug in found.categories],
        "instructions": markdown_html(version.behaviour.usage_instructions),
        "seen": await kept.has_seen(found.id, version.behaviour, principal.urn),
        "settings": await kept.look(found.id, version.behaviour, principal.urn),
        "unavailable": await unavailable(submissions, slug, principal.urn),
        "may_schedule": await rights.holds(principal, SCHEDULE),
    }
    return await pages.render(request, "skriptoteket/tool.html", context)


@router.post("/tools/{slug}/favourite", name="skriptoteket_favourite")
@access(permission=BROWSE)
async def favourite(
    slug: str,
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    wanted: Annotated[bool, Form()],
) -> Response:
    """Keep or forget a favourite, then back to the tool."""
    await catalogue.favourite(principal.urn, slug, wanted)
    return RedirectResponse(request.url_for("skriptoteket_tool", slug=slug).path, 303)


async def unavailable(submissions: RunSubmission, slug: str, subject: str) -> dict[str, str] | None:
    """Why the tool cannot be run now, in plain words with the fix; or nothing."""
    try:
        await submissions.admit(slug, subject)
    except RunnerUnavailable as error:
        return {"reason": ", ".join(error.missing), "fix": error.fix}
    except (TooManyRuns, QueueFull) as error:
        return {"reason": str(error), "fix": ""}
    return None


async def _shelf(
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Browsing,
    pages: Pages,
    people: Readers,
    *,
    query: str,
    profession: str = "",
    category: str = "",
    favourites: bool = False,
) -> Response:
    chosen = [profession] if profession else []
    shelf = await catalogue.shelf(
        principal.urn, query, chosen, [category] if category else [], favourites_only=favourites
    )
    everything = await catalogue.shelf(principal.urn)
    of_profession = [each for each in everything.tools if not profession or profession in each.professions]
    context = {
        "reader": people.of(principal, request),
        "shelf": shelf,
        "query": query,
        "profession": profession,
        "category": category,
        "favourites_only": favourites,
        "categories": await catalogue.categories(profession) if profession else everything.categories,
        "profession_counts": {
            each.slug: sum(each.slug in tool.professions for tool in everything.tools) for each in shelf.professions
        },
        "category_counts": {
            each.slug: sum(each.slug in tool.categories for tool in of_profession) for each in shelf.categories
        },
        "total": len(everything.tools),
    }
    return await pages.render(request, "skriptoteket/catalog.html", context)
