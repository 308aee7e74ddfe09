"""Browse routes: professions, categories, tools, favourites."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.catalog import TagOut, ToolDetail, ToolList, ToolOut
from skriptoteket.adapters.http.acting import cursor_of
from skriptoteket.core.catalog.browsing import MOST_TOOLS, Browsing, Wanted
from skriptoteket.core.errors import QueueFull, RunnerUnavailable, TooManyRuns
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import BROWSE
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.runs.watching import RunWatching

router = APIRouter()

Catalogue = Annotated[Browsing, inject(Browsing)]
Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Watching = Annotated[RunWatching, inject(RunWatching)]
Kept = Annotated[Preferences, inject(Preferences)]
Limits = Annotated[UploadLimits, inject(UploadLimits)]
Facet = Annotated[list[str], Query(max_length=50)]


@router.get("/professions", name="skriptoteket_api_professions")
@access(permission=BROWSE)
async def professions(catalogue: Catalogue) -> list[TagOut]:
    """Every profession, in order."""
    return [TagOut.of(each) for each in await catalogue.professions()]


@router.get("/categories", name="skriptoteket_api_categories")
@access(permission=BROWSE)
async def categories(catalogue: Catalogue) -> list[TagOut]:
    """Every category, in order."""
    return [TagOut.of(each) for each in await catalogue.categories()]


@router.get("/professions/{profession}/categories", name="skriptoteket_api_profession_categories")
@access(permission=BROWSE)
async def profession_categories(profession: str, catalogue: Catalogue) -> list[TagOut]:
    """The categories of a profession, in its order."""
    return [TagOut.of(each) for each in await catalogue.categories(profession)]


@router.get("/tools", name="skriptoteket_api_tools")
@access(permission=BROWSE)
async def tools(
    principal: CurrentPrincipal,
    catalogue: Catalogue,
    q: Annotated[str, Query(max_length=200)] = "",
    professions: Facet = [],  # noqa: B006 - FastAPI copies the default of a query parameter
    categories: Facet = [],  # noqa: B006 - as above
    favourite: bool = False,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_TOOLS)] = MOST_TOOLS,
) -> ToolList:
    """The tools that fit: OR inside a facet, AND across facets and words; those whose title fits first."""
    wanted = Wanted(q, professions, categories, favourites_only=favourite)
    after = ToolId(cursor_of(cursor)) if cursor is not None else None
    return ToolList.of(await catalogue.shelf(principal.urn, wanted, limit=limit, after=after))


@router.get("/tools/{tool}", name="skriptoteket_api_tool")
@access(permission=BROWSE)
async def tool(
    tool: str, principal: CurrentPrincipal, catalogue: Catalogue, submissions: Submissions, limits: Limits, kept: Kept
) -> ToolDetail:
    """One tool, what it takes, and whether it can be run now."""
    found, version = await submissions.runnable(tool)
    reason = fix = ""
    try:
        await submissions.admit(tool, principal.urn)
    except (RunnerUnavailable, TooManyRuns, QueueFull) as error:
        reason, fix = str(error), getattr(error, "fix", "")
    shelf = await catalogue.shelf(principal.urn, limit=1)
    seen = await kept.has_seen(found.id, version.behaviour, principal.urn)
    return ToolDetail.detail(found, version, found.id in shelf.favourites, limits, (reason, fix), seen)


@router.put("/tools/{tool}/favourite", status_code=204, name="skriptoteket_api_favourite")
@access(permission=BROWSE)
async def favourite(tool: str, principal: CurrentPrincipal, catalogue: Catalogue) -> Response:
    """Keep the tool among one's favourites."""
    await catalogue.favourite(principal.urn, tool, True)
    return Response(status_code=204)


@router.delete("/tools/{tool}/favourite", status_code=204, name="skriptoteket_api_unfavourite")
@access(permission=BROWSE)
async def unfavourite(tool: str, principal: CurrentPrincipal, catalogue: Catalogue) -> Response:
    """Forget the tool among one's favourites."""
    await catalogue.favourite(principal.urn, tool, False)
    return Response(status_code=204)


@router.get("/me/favourites", name="skriptoteket_api_favourites")
@access(permission=BROWSE)
async def favourites(principal: CurrentPrincipal, catalogue: Catalogue) -> ToolList:
    """One's favourites that can be seen now; hidden ones come back when they are shown again."""
    return ToolList.of(await catalogue.shelf(principal.urn, Wanted(favourites_only=True)))


@router.get("/me/recent-tools", name="skriptoteket_api_recent_tools")
@access(permission=BROWSE)
async def recent_tools(principal: CurrentPrincipal, catalogue: Catalogue, watching: Watching) -> ToolList:
    """The tools that one ran lately, newest first."""
    kept = (await catalogue.shelf(principal.urn, limit=1)).favourites
    found = await watching.recent_tools(principal.urn)
    return ToolList(items=[ToolOut.of(tool, tool.id in kept) for tool in found], total=len(found))
