"""Who answers for whom, and the kill switch."""

from typing import Annotated

from fastapi import APIRouter, Request

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.together import (
    CustodyOut,
    EdgeOut,
    NodeOut,
    ResumeBody,
    ResumedOut,
    StopBody,
    StoppedOut,
    TransferBody,
    TransferredOut,
    machine_node,
    others,
    person_node,
)
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, NotFound
from au_sys_identity.core.graph.linking import Linking
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.traversal import chain
from au_sys_identity.core.machines.stopping import Stopping
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import Named, person_id, subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/custody/{identity_id}", tags=["custody"])

Graph = Annotated[LiveGraph, inject(LiveGraph)]
Within = Annotated[Reach, inject(Reach)]
Links = Annotated[Linking, inject(Linking)]
Switch = Annotated[Stopping, inject(Stopping)]
Steps = Annotated[StepUp, inject(StepUp)]


@router.get("", operation_id="get_custody", summary="Who answers for a subject")
@access(authenticated=True)
async def get_custody(
    request: Request, identity_id: str, reach: Within, graph: Graph, switch: Switch, links: Links
) -> CustodyOut:
    """The nearest living persons with the edges to them; of a person, everything that answers to them."""
    subject = await answered(caller_of(request), identity_id, reach, graph, "identity.machines.read")
    index = await graph.current()
    standing = await switch.standing(subject.id)
    edges = await links.edges(chain(index, subject.id))
    names = await reach.names([subject.id, *(end for edge in edges for end in (edge.source, edge.target))])
    return CustodyOut(
        subject=NodeOut.of(subject),
        living=standing.living,
        custodians=[person_node(person) for person in standing.custodians],
        chain=[EdgeOut.of(edge, names) for edge in edges],
        machines=[machine_node(machine) for machine in standing.machines],
    )


@router.post("/stop", operation_id="stop_custody", summary="Stop what answers to a subject")
@access(authenticated=True)
async def stop_custody(
    request: Request, identity_id: str, body: StopBody, reach: Within, graph: Graph, switch: Switch, steps: Steps
) -> StoppedOut:
    """In one act: all machines whose custody ends with the subject, or everything below it. A machine stops itself with
    its children. The preview tells what lives on through another owner.
    """
    caller, subject = await _switched(request, identity_id, reach, graph, steps)
    effect = await switch.stop(
        subject.id, by=caller.urn, reason=body.reason, everything=body.everything, preview=body.preview
    )
    stops = [machine_node(machine) for machine in effect.changed]
    return StoppedOut(preview=body.preview, stops=stops, lives_on=others(effect.others))


@router.post("/resume", operation_id="resume_custody", summary="Let what was stopped go on")
@access(authenticated=True)
async def resume_custody(
    request: Request, identity_id: str, body: ResumeBody, reach: Within, graph: Graph, switch: Switch, steps: Steps
) -> ResumedOut:
    """What was stopped with the subject, as far as somebody answers for it."""
    caller, subject = await _switched(request, identity_id, reach, graph, steps)
    effect = await switch.resume(subject.id, by=caller.urn, preview=body.preview)
    resumes = [machine_node(machine) for machine in effect.changed]
    return ResumedOut(preview=body.preview, resumes=resumes, stays_stopped=others(effect.others))


@router.post("/transfer", operation_id="transfer_custody", summary="Hand custody over")
@access(authenticated=True)
async def transfer_custody(
    request: Request, identity_id: str, body: TransferBody, reach: Within, graph: Graph, switch: Switch, steps: Steps
) -> TransferredOut:
    """Of a machine, or of everything that a person answers for, to an active person, who is told."""
    caller, subject = await _switched(request, identity_id, reach, graph, steps)
    to = subject_id(body.to, "person")
    effect = await switch.transfer(subject.id, to, by=caller.urn, reason=body.reason, preview=body.preview)
    machines = [machine_node(machine) for machine in effect.changed]
    return TransferredOut(preview=body.preview, to=f"urn:au:user:{person_id(str(to))}", machines=machines)


async def answered(caller: Principal, text: str, reach: Reach, graph: LiveGraph, permission: str) -> Named:
    """A subject that the caller is, answers for, or has a permission over.

    Raises:
        NotFound: it is none of the caller's business.
    """
    found = subject_id(text)
    if found is not None and caller.id in (await graph.current()).custody(found).custodians:
        named = (await reach.names([found])).get(found)
        if named is not None and (not text.startswith("urn:") or named.urn == text):
            return named
    return await reach.subject(caller, text, permission)


async def _switched(
    request: Request, text: str, reach: Reach, graph: LiveGraph, steps: StepUp
) -> tuple[Principal, Named]:
    """A subject whose machines the caller may stop, after a fresh proof; never a machine's own act.

    Raises:
        NotFound, HumanOnly, StepUpRequired, WeakSession: it is not for the caller.
    """
    caller = caller_of(request)
    subject = await answered(caller, text, reach, graph, "identity.machines.stop")
    if caller.kind != "person":
        raise HumanOnly
    if text.startswith("urn:") and subject.urn != text:
        raise NotFound("subject")
    await steps.require(caller)
    return caller, subject
