"""What I am told: notices of all capabilities."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.notices import NoticeOut, NoticesOut
from au_sys_identity.core.notices.telling import Telling
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/users/me/notices", tags=["notices"])

Told = Annotated[Telling, inject(Telling)]


@router.get("", operation_id="list_notices", summary="What I am told")
@access(authenticated=True)
async def list_notices(
    request: Request,
    telling: Told,
    page: Paged,
) -> NoticesOut:
    """Newest first, a page at a time."""
    caller = caller_of(request)
    found = await telling.of_subject(caller.id, before=page.after, limit=page.limit + 1)
    items = [NoticeOut.of(told) for told in found[: page.limit]]
    following = page.next(items[-1].id) if len(found) > page.limit else None
    return NoticesOut(items=items, next_cursor=following, unread=await telling.unread(caller.id))


@router.post("/{notice_id}/read", operation_id="read_notice", summary="I have read it", status_code=204)
@access(authenticated=True)
async def read_notice(request: Request, notice_id: UUID, telling: Told) -> Response:
    """It counts as read from now on."""
    await telling.read(caller_of(request).id, notice_id)
    return Response(status_code=204)
