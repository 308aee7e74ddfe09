"""The operator's page: workers, queue, outcomes, upkeep, environments."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.environments import Environments
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.roles import OPERATE
from skriptoteket.core.runs.oversight.operations import Operating

router = APIRouter()

Service = Annotated[Operating, inject(Operating)]
Book = Annotated[Ledger, inject(Ledger)]
Known = Annotated[Environments, inject(Environments)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]


@router.get("/admin/operations", name="skriptoteket_operations")
@access(permission=OPERATE)
async def operations(
    request: Request, principal: CurrentPrincipal, service: Service, known: Known, pages: Page, people: Reading
) -> Response:
    """How the service stands now."""
    context = {
        "reader": people.of(principal, request),
        "found": await service.look(),
        "environments": await known.packages(),
    }
    return await pages.render(request, "skriptoteket/operations.html", context)


@router.post("/admin/operations/workers/{worker}/drain", name="skriptoteket_drain")
@access(permission=OPERATE)
async def drain(worker: str, request: Request, principal: CurrentPrincipal, service: Service, book: Book) -> Response:
    """Ask a worker to finish and end."""
    await service.drain(WorkerId(worker))
    await book.record(principal, "worker.drained", worker)
    return RedirectResponse(request.url_for("skriptoteket_operations").path, 303)
