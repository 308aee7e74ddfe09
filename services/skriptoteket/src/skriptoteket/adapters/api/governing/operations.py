"""Operations routes: workers, queue, environments."""

from typing import Annotated

from fastapi import APIRouter, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.operations import EnvironmentOut, QueueStateOut, WorkerOut
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.environments import Environments
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.roles import OPERATE
from skriptoteket.core.runs.oversight.operations import Operating

router = APIRouter()

Service = Annotated[Operating, inject(Operating)]
Book = Annotated[Ledger, inject(Ledger)]
Known = Annotated[Environments, inject(Environments)]


@router.get("/operations/workers", name="skriptoteket_api_workers")
@access(permission=OPERATE)
async def workers(service: Service) -> list[WorkerOut]:
    """Every worker that ever registered and did not leave, with what it isolates."""
    found = await service.look()
    return [WorkerOut.of(worker, worker.id in found.alive) for worker in found.workers]


@router.post("/operations/workers/{worker}/drain", status_code=202, name="skriptoteket_api_drain")
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
            name=name,
            workers=[str(each.id) for each in found.workers if each.id in found.alive and name in each.environments],
            packages=list(packages),
        )
        for name, packages in (await known.packages()).items()
    ]
