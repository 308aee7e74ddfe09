"""Choose a tool: the catalogue and one tool's page."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, cursor_of
from skriptoteket.adapters.web.result_blocks import markdown_html
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing, Wanted
from skriptoteket.core.errors import NotFound, QueueFull, RunnerUnavailable, TooManyRuns
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import BROWSE, SCHEDULE
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.runs.watching import RunWatching

router = APIRouter()

Catalogue = Annotated[Browsing, inject(Browsing)]
Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Page = Annotated[Pages, inject(Pages)]
Kept = Annotated[Preferences, inject(Preferences)]
People = Annotated[Readers, inject(Readers)]
Rights = Annotated[Actors, inject(Actors)]
Watching = Annotated[RunWatching, inject(RunWatching)]
Query200 = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=36)]

_ON_A_PAGE = 48


@router.get("/browse", name="skriptoteket_browse")
@access(permission=BROWSE)
async def browse(
    request: Request,
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    pages: Page,
    people: People,
    watching: Watching,
    q: Query200 = "",
    favourites: bool = False,
    after: Cursor = None,
) -> Response:
    """The whole catalogue; its first page begins with what one used lately and what is new."""
    wanted = Wanted(q, favourites_only=favourites)
    more: dict[str, object] = {}
    if wanted == Wanted() and after is None:
        more["recent"] = await watching.recent_tools(principal.urn, 4)
    return await _shelf(request, principal, catalogue, pages, people, wanted, after=after, more=more)


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
    after: Cursor = None,
) -> Response:
    """The tools of a profession."""
    more = {"categories": await catalogue.categories(profession)}
    return await _shelf(request, principal, catalogue, pages, people, Wanted(q, (profession,)), after=after, more=more)


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
    after: Cursor = None,
) -> Response:
    """The tools of a profession for one kind of task."""
    categories = await catalogue.categories(profession)
    if category not in {each.slug for each in categories}:
        raise NotFound("category", category)
    wanted = Wanted(q, (profession,), (category,))
    return await _shelf(
        request, principal, catalogue, pages, people, wanted, after=after, more={"categories": categories}
    )


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
    favourites = await catalogue.shelf(principal.urn, limit=1)
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
    principal: Principal,
    catalogue: Browsing,
    pages: Pages,
    people: Readers,
    wanted: Wanted,
    *,
    after: str | None,
    more: Mapping[str, object],
) -> Response:
    behind = ToolId(cursor_of(after)) if after is not None else None
    shelf = await catalogue.shelf(principal.urn, wanted, limit=_ON_A_PAGE, after=behind)
    context = {
        "reader": people.of(principal, request),
        "shelf": shelf,
        "query": wanted.query,
        "profession": next(iter(wanted.professions), ""),
        "category": next(iter(wanted.categories), ""),
        "favourites_only": wanted.favourites_only,
        "further": request.url.include_query_params(after=str(shelf.after)).query if shelf.after is not None else "",
        "recent": (),
        **more,
    }
    return await pages.render(request, "skriptoteket/catalog.html", context)
