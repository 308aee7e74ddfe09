"""What I am told, on a page."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.notices.telling import Telling
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/notices"
_SHOWN = 100


@router.get(_HERE)
@access(authenticated=True)
async def notices_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], telling: Annotated[Telling, inject(Telling)]
) -> Response:
    """Newest first; what is unread stands out."""
    notices = await telling.of_subject(caller_of(request).id, limit=_SHOWN)
    return await pages.render(request, "identity/notices.html", {"notices": notices})


@router.post(f"{_HERE}/{{notice_id}}/read")
@access(authenticated=True)
async def read_form(request: Request, notice_id: UUID, telling: Annotated[Telling, inject(Telling)]) -> Response:
    """It counts as read."""
    with suppress(NotFound):  # it may be gone, which is as good as read
        await telling.read(caller_of(request).id, notice_id)
    return RedirectResponse(_HERE, 303)
