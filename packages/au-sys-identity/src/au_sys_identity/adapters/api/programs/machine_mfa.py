"""Machine MFA: what a machine proves itself with beside its key."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.authentication import caller_of
from au_sys_identity.adapters.api.certificates import fingerprint
from au_sys_identity.adapters.api.proofs.qr import qr_svg
from au_sys_identity.adapters.api.schemas.machine_mfa import MfaSetUpOut, MfaWanted
from au_sys_identity.adapters.api.schemas.machines import MachineMfaOut
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, NotFound
from au_sys_identity.core.machines.accounts import Machines
from au_sys_identity.core.machines.models import MachineMfa
from au_sys_identity.core.machines.proving import MachineProofs
from au_sys_identity.core.subjects.models import subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["machines"])

Known = Annotated[Machines, inject(Machines)]
Rights = Annotated[Decisions, inject(Decisions)]
Steps = Annotated[StepUp, inject(StepUp)]
Proofs = Annotated[MachineProofs, inject(MachineProofs)]


@router.put(
    "/iam/service-accounts/{account_id}/mfa", operation_id="set_service_account_mfa", summary="How it proves itself"
)
@access(authenticated=True)
async def set_service_account_mfa(
    request: Request,
    response: Response,
    account_id: str,
    body: MfaWanted,
    machines: Known,
    decisions: Rights,
    steps: Steps,
    proofs: Proofs,
) -> MfaSetUpOut:
    """By who answers for it. The secret of its codes is shown this once."""
    return await _set_up(request, response, account_id, "app", body, machines, decisions, steps, proofs)


@router.put("/iam/ai-agents/{agent_id}/mfa", operation_id="set_ai_agent_mfa", summary="How an agent proves itself")
@access(authenticated=True)
async def set_ai_agent_mfa(
    request: Request,
    response: Response,
    agent_id: str,
    body: MfaWanted,
    machines: Known,
    decisions: Rights,
    steps: Steps,
    proofs: Proofs,
) -> MfaSetUpOut:
    """By who answers for it. The secret of its codes is shown this once."""
    return await _set_up(request, response, agent_id, "agent", body, machines, decisions, steps, proofs)


async def _set_up(
    request: Request,
    response: Response,
    named: str,
    kind: str,
    body: MfaWanted,
    machines: Machines,
    decisions: Decisions,
    steps: StepUp,
    proofs: MachineProofs,
) -> MfaSetUpOut:
    caller = caller_of(request)
    known = await machines.get(subject_id(named, "agent" if kind == "agent" else "app"))
    if known.machine.kind != kind:
        raise NotFound("machine")
    if known.machine.id == caller.id:
        raise HumanOnly
    if not known.answered_by(caller.id) and not await decisions.holds(caller, "identity.machines.update"):
        raise NotFound("machine")
    await steps.require(caller)
    wanted = MachineMfa(body.mode, body.applies_to, tuple(fingerprint(text) for text in body.certificates))
    made = await proofs.set_up(known.machine.id, wanted, by=caller.urn)
    response.headers["cache-control"] = "no-store"
    shown = MachineMfaOut.of(made.known.machine.mfa)
    return MfaSetUpOut(
        **shown.model_dump(), secret=made.secret, uri=made.uri, qr_svg=qr_svg(made.uri) if made.uri else None
    )
