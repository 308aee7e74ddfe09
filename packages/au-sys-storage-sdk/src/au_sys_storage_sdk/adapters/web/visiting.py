"""What the pages of documents and of blobs have in common: a person in a namespace, and a list of its keys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.responses import Response

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.web.editing import Editing
from au_sys_storage_sdk.adapters.web.showing import further, told
from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.core.paging import Page
from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

T = TypeVar("T")

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody looks at, or changes, what a namespace holds."""

    request: Request
    reach: Reach
    pages: Pages
    who: Principal
    namespace: str

    async def told(self, error: Exception) -> str:
        """What went wrong, in the reader's language."""
        return told(await self.pages.reader(self.request, "storage"), error)

    async def show(self, template: str, shown: dict[str, object], wrong: object = "") -> Response:
        """A page of storage; ``wrong``: what was sent could not be done."""
        known = {"namespace": self.namespace, **shown}
        return await self.pages.render(self.request, f"storage/{template}", known, status_code=422 if wrong else 200)


async def _visit(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    pages: Annotated[Pages, inject(Pages)],
) -> Visit:
    return Visit(request, desk.reach(request), pages, principal, namespace)


Visited = Annotated[Visit, Depends(_visit)]
Edits = Annotated[Editing, inject(Editing)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which keys to list, and what was typed into the form below them that could not be stored."""

    prefix: str = ""
    after: str = ""
    key: str = ""
    value: str = ""
    wrong: str = ""


async def listed(
    visit: Visit, read: Callable[[str, str, int], Awaitable[Page[T]]], asked: Asked
) -> tuple[Page[T], dict[str, object]]:
    """A page of keys, and what its template is told; a prefix that no key can have is told, and all keys are shown."""
    error, prefix = "", asked.prefix
    try:
        page = await read(prefix, asked.after, SHOWN)
    except InvalidInput as problem:
        error, prefix = await visit.told(problem), ""
        page = await read("", "", SHOWN)
    return page, {
        "prefix": prefix, "further": further(prefix, page.after), "error": error, "later": bool(asked.after),
        "key": asked.key, "value": asked.value.replace("\r\n", "\n"), "wrong": asked.wrong,
    }  # fmt: skip
