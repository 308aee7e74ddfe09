"""Pages for everybody: the hub, public files, the theme, what each problem means, all components."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from fastapi_services_platform.fastapi import MaybePrincipal, flag, inject
from fastapi_services_platform.http.pages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.http.problems import Problem, ProblemRaised
from fastapi_services_platform.hub.front.gallery import sample_table
from fastapi_services_platform.hub.front.notices import Notices
from fastapi_services_platform.hub.front.problem_types import describe
from fastapi_services_platform.hub.monitoring.overview import Overview

router = APIRouter()

_YEAR_SECONDS = 365 * 24 * 3600
_MISSING = Problem(404, "not-found", "Not Found", "There is nothing under this address.")


@router.get("/", name="hub.home")
@access(public=True)
async def home(
    request: Request,
    who: MaybePrincipal,
    pages: Annotated[Pages, inject(Pages)],
    overview: Annotated[Overview, inject(Overview)],
    notices: Annotated[Notices, inject(Notices)],
) -> Response:
    """What is here, is it well, what may I do, what was I told."""
    if who is None:
        return await pages.render(request, "hub/welcome.html", {"capabilities": overview.capabilities()})
    cards = [(owner, card) for owner, card in overview.cards() if await pages.allowed(who, card.permission)]
    operator = await pages.allowed(who, "platform.health.read")
    told = await notices.unread(who.urn)
    context = {"cards": cards, "operator": operator, "health": await overview.health(), "told": told}
    return await pages.render(request, "hub/home.html", context)


@router.get("/static/{path:path}", name="hub.static", include_in_schema=False)
@access(public=True)
async def static_file(request: Request, path: str, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """A public file of a capability."""
    answer = pages.static.answer(request, path)
    if answer is None:
        raise ProblemRaised(_MISSING)
    return answer


@router.get("/favicon.ico", name="hub.favicon", include_in_schema=False)
@access(public=True)
async def favicon(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """The icon that browsers ask for by themselves."""
    return await static_file(request, "hub/favicon.svg", pages)


@router.post("/theme", name="hub.theme")
@access(public=True)
async def choose_theme(request: Request, theme: Annotated[str, Form()]) -> Response:
    """Remember light, dark or the system's choice, and go back to the page that asked."""
    answer = RedirectResponse(_back(request), status_code=303)
    chosen = theme if theme in THEMES else THEMES[0]
    secure = request.url.scheme == "https"
    answer.set_cookie(THEME_COOKIE, chosen, max_age=_YEAR_SECONDS, secure=secure, httponly=False, samesite="lax")
    return answer


@router.post("/language", name="hub.language")
@access(public=True)
async def choose_language(
    request: Request, language: Annotated[str, Form(max_length=16)], pages: Annotated[Pages, inject(Pages)]
) -> Response:
    """Remember the language for those whose profile names none, and go back to the page that asked."""
    answer = RedirectResponse(_back(request), status_code=303)
    chosen = language if language in pages.languages else pages.languages[0]
    secure = request.url.scheme == "https"
    answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR_SECONDS, secure=secure, httponly=True, samesite="lax")
    return answer


@router.get("/problems/{capability}/{slug}", name="hub.problem_type")
@access(public=True)
async def problem_type(
    request: Request,
    capability: str,
    slug: str,
    pages: Annotated[Pages, inject(Pages)],
    overview: Annotated[Overview, inject(Overview)],
) -> Response:
    """What a problem type means and what to do about it."""
    described = describe(capability, slug, overview.problem_types())
    if described is None:
        raise ProblemRaised(_MISSING)
    return await pages.render(request, "hub/problem_type.html", {"described": described})


@router.get("/platform/components", name="hub.components", dependencies=[flag("platform.components")])
@access(public=True)
async def components(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    q: Annotated[str, Query(max_length=100)] = "",
    order: Annotated[str, Query(max_length=20)] = "tool",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """Every component of the page system; the table among them can be filtered, sorted and turned over."""
    return await pages.render(request, "hub/gallery.html", {"runs": sample_table(q, order, page)})


def _back(request: Request) -> str:
    """The path of the page that sent the form; never another host."""
    came_from = urlsplit(request.headers.get("referer", ""))
    if came_from.netloc != request.headers.get("host") or not came_from.path.startswith("/"):
        return "/"
    path = "/" + came_from.path.lstrip("/")
    return f"{path}?{came_from.query}" if came_from.query else path
