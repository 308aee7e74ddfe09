"""Operations routes: workers, queue, environments."""

from typing import Annotated

from fastapi import APIRouter, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.operations import EnvironmentDecisionIn, EnvironmentOut, QueueStateOut, WorkerOut
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.core.governance.environments.approving import Approving
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.roles import OPERATE
from skriptoteket.core.runs.oversight.operations import Operating

router = APIRouter()

Service = Annotated[Operating, inject(Operating)]
Book = Annotated[Ledger, inject(Ledger)]
Known = Annotated[Approving, inject(Approving)]
Callers = Annotated[Actors, inject(Actors)]


@router.get("/operations/workers", name="skriptoteket_api_workers")
@access(permission=OPERATE)
async def workers(service: Service) -> list[WorkerOut]:
    """Every worker that ever registered and did not leave, with what it isolates."""
    found = await service.look()
    return [WorkerOut.of(worker, worker.id in found.alive) for worker in found.workers]


@router.post(
    "/operations/workers/{worker}/drain", status_code=202, response_class=Response, name="skriptoteket_api_drain"
)
@access(permission=OPERATE)
async def drain(worker: str, principal: CurrentPrincipal, service: Service, book: Book) -> Response:
    """The worker takes no more, finishes what it has, and ends; it hears of it within a heartbeat."""
    await service.drain(WorkerId(worker))
    await book.record(principal, "worker.drained", worker)
    return Response(status_code=202)


@router.get("/operations/queue", name="skriptoteket_api_queue")
@access(permission=OPERATE)
async def queue(service: Service) -> QueueStateOut:
    """What waits by lane, how runs of the last day ended, and when old data was last removed."""
    return QueueStateOut.of(await service.look())


@router.get("/environments", name="skriptoteket_api_environments")
@access(permission=OPERATE)
async def environments(service: Service, known: Known) -> list[EnvironmentOut]:
    """The environments that versions may choose, the workers that have them, and their packages."""
    found = await service.look()
    return [
        EnvironmentOut(
            name=state.built.name,
            workers=[
                str(each.id)
                for each in found.workers
                if each.id in found.alive and state.built.name in each.environments
            ],
            packages=list(state.built.packages),
            digest=state.built.digest,
            usable=state.usable,
            problem=state.built.problem,
            verdict=None if state.decision is None else state.decision.verdict.value,
            rationale=None if state.decision is None else state.decision.rationale,
            decided_by=None if state.decision is None else state.decision.by,
            decided_at=None if state.decision is None else state.decision.at,
        )
        for state in await known.look()
    ]


@router.post("/environments/{environment}/decide", status_code=204, name="skriptoteket_api_environment_decide")
@access(permission=OPERATE)
async def decide(
    environment: str,
    body: EnvironmentDecisionIn,
    principal: CurrentPrincipal,
    known: Known,
    callers: Callers,
    book: Book,
) -> Response:
    """Approve an environment exactly as it was built, or take that back; workers hear of it within a heartbeat."""
    actor = await callers.of(principal, (OPERATE,))
    await known.decide(actor, environment, body.expected_digest, body.verdict, body.rationale)
    await book.record(principal, f"environment.{body.verdict.value}", environment)
    return Response(status_code=204)
