"""The API reference, rendered from the OpenAPI document: the usual viewers load their code from elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.operations.sections import visible_sections
from fastapi_services_platform.hub.reference.openapi_view import Document, Group, groups_of
from fastapi_services_platform.resilience.pools import blocking

router = APIRouter()


class _Kept:
    """What was made of the last document; a platform has one, and makes it once."""

    def __init__(self) -> None:
        self._document: Document = {}
        self._groups: list[Group] = []

    def groups(self, document: Document) -> list[Group]:
        """The groups of a document."""
        if document is not self._document:
            self._document, self._groups = document, groups_of(document)
        return self._groups


_kept = _Kept()


@router.get("/reference", name="platform.reference")
@access(permission="platform.routes.read")
async def reference(
    request: Request, who: CurrentPrincipal, pages: Annotated[Pages, inject(Pages)], tag: str = ""
) -> Response:
    """Every operation of the API, grouped by capability."""
    document = await blocking(request.app.openapi)
    groups = _kept.groups(document)
    chosen = next((group for group in groups if group.name == tag), groups[0] if groups else None)
    context = {"sections": await visible_sections(pages, who), "groups": groups, "chosen": chosen}
    return await pages.render(request, "hub/reference.html", context)
