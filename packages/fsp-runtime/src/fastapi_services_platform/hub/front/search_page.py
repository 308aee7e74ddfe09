"""The page of the search, whole or as the part that changes while somebody types, and for the command palette."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.front.search import Finder

router = APIRouter()

_FEW, _MANY = 5, 30
Words = Annotated[str, Query(max_length=200)]
Shown = Annotated[Pages, inject(Pages)]
Found = Annotated[Finder, inject(Finder)]


@router.get("/search", name="hub.search")
@access(authenticated=True)
async def search(request: Request, who: CurrentPrincipal, pages: Shown, finder: Found, q: Words = "") -> Response:
    """Everything that fits; only the results for who asks for a part of the page."""
    context: dict[str, object] = {"q": q, "groups": await finder.find(request, pages, who, q, _MANY)}
    if "hx-request" in request.headers:
        return await _part(request, pages, "hub/search_results.html", context)
    return await pages.render(request, "hub/search.html", context)


@router.get("/search/palette", name="hub.palette", include_in_schema=False)
@access(authenticated=True)
async def palette(request: Request, who: CurrentPrincipal, pages: Shown, finder: Found, q: Words = "") -> Response:
    """The options of the command palette."""
    context: dict[str, object] = {"q": q, "groups": await finder.find(request, pages, who, q, _FEW)}
    return await _part(request, pages, "hub/palette_options.html", context)


async def _part(request: Request, pages: Pages, template: str, context: dict[str, object]) -> Response:
    text = await pages.text(request, template, context)
    return HTMLResponse(text, headers={"cache-control": "no-store", "vary": "hx-request"})
