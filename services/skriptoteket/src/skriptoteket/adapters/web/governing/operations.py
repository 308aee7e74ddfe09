"""The operator's page: workers, queue, outcomes, upkeep, environments."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import Conflict, ValidationFailed
from skriptoteket.core.governance.environments.approving import Approving
from skriptoteket.core.governance.environments.models import EnvironmentVerdict
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.roles import OPERATE
from skriptoteket.core.runs.oversight.operations import Operating

router = APIRouter()

Service = Annotated[Operating, inject(Operating)]
Book = Annotated[Ledger, inject(Ledger)]
Known = Annotated[Approving, inject(Approving)]
Callers = Annotated[Actors, inject(Actors)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]


@router.get("/admin/operations", name="skriptoteket_operations")
@access(permission=OPERATE)
async def operations(
    request: Request, principal: CurrentPrincipal, service: Service, known: Known, pages: Page, people: Reading
) -> Response:
    """How the service stands now."""
    context = await _context(request, principal, service, known, people)
    return await pages.render(request, "skriptoteket/operations.html", context)


async def _context(
    request: Request, principal: CurrentPrincipal, service: Operating, known: Approving, people: Readers
) -> dict[str, object]:
    return {
        "reader": people.of(principal, request),
        "found": await service.look(),
        "environments": await known.look(),
        "refused": "",
    }


@router.post("/admin/operations/environments/{environment}", name="skriptoteket_environment_decide")
@access(permission=OPERATE)
async def decide(
    environment: str,
    request: Request,
    principal: CurrentPrincipal,
    service: Service,
    known: Known,
    callers: Callers,
    book: Book,
    pages: Page,
    people: Reading,
    verdict: Annotated[EnvironmentVerdict, Form()],
    expected_digest: Annotated[str, Form(max_length=64)],
    rationale: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Approve what an environment holds, or take that back."""
    actor = await callers.of(principal, (OPERATE,))
    try:
        await known.decide(actor, environment, expected_digest, verdict, rationale)
    except (Conflict, ValidationFailed) as problem:
        context = await _context(request, principal, service, known, people)
        context["refused"] = str(problem)
        status = 409 if isinstance(problem, Conflict) else 422
        return await pages.render(request, "skriptoteket/operations.html", context, status_code=status)
    await book.record(principal, f"environment.{verdict.value}", environment)
    return RedirectResponse(request.url_for("skriptoteket_operations").path + "#environments", 303)


@router.post("/admin/operations/workers/{worker}/drain", name="skriptoteket_drain")
@access(permission=OPERATE)
async def drain(worker: str, request: Request, principal: CurrentPrincipal, service: Service, book: Book) -> Response:
    """Ask a worker to finish and end."""
    await service.drain(WorkerId(worker))
    await book.record(principal, "worker.drained", worker)
    return RedirectResponse(request.url_for("skriptoteket_operations").path, 303)
