"""Choose the language of the pages, for those whose profile names none."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from skriptoteket.adapters.http.languages import COOKIE, LOCALES
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.roles import BROWSE

router = APIRouter()

_YEAR = 365 * 24 * 3600


@router.post("/language", name="skriptoteket_language")
@access(permission=BROWSE)
async def language(request: Request, locale: Annotated[str, Form(max_length=16)]) -> Response:
    """Keep the choice in a cookie, then back to the catalogue."""
    if locale not in LOCALES:
        raise ValidationFailed([FieldIssue("locale", "choice", "must be en or sv")])
    answer = RedirectResponse(request.url_for("skriptoteket_browse").path, 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, locale, max_age=_YEAR, path="/", secure=secure, httponly=True, samesite="lax")
    return answer
