"""The first page: backends with their health, the change feed, the namespaces with their sizes."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from au_sys_storage_sdk.adapters.api.access import Desked
from au_sys_storage_sdk.adapters.api.followers import FollowersOf
from au_sys_storage_sdk.adapters.api.status import Moving, status_of
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.storage import Storage
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter()


@router.get("/admin/storage")
@access(permission="storage.backends.read")
async def overview_page(
    request: Request,
    desk: Desked,
    switches: Moving,
    followers: FollowersOf,
    pages: Annotated[Pages, inject(Pages)],
) -> Response:
    """Backends, and the namespaces with their sizes."""
    status = await status_of(request, desk, switches, followers)
    backends = [
        (marked("Documents"), status.documents, await _state(desk.storage)),
        (marked("Blobs"), status.blobs, await _state(desk.blobs)),
    ]
    return await pages.render(request, "storage/overview.html", {"status": status, "backends": backends})


async def _state(backend: Storage | Blobs) -> tuple[str, str]:
    try:
        await backend.ping()
    except StorageError as error:
        return "unhealthy", str(error)
    return "healthy", ""
