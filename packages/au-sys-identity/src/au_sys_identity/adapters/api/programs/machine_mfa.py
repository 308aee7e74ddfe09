"""Machine MFA: what a machine proves itself with beside its key."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.certificates import fingerprint
from au_sys_identity.adapters.api.programs.machines import Known, Within, manageable
from au_sys_identity.adapters.api.proofs.qr import qr_svg
from au_sys_identity.adapters.api.schemas.machine_mfa import MfaSetUpOut, MfaWanted
from au_sys_identity.adapters.api.schemas.machines import MachineMfaOut
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.machines.models import MachineMfa
from au_sys_identity.core.machines.proving import MachineProofs
from au_sys_identity.core.subjects.models import SubjectId
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["machines"])

Steps = Annotated[StepUp, inject(StepUp)]
Proofs = Annotated[MachineProofs, inject(MachineProofs)]
_UPDATE = "identity.machines.update"


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
    reach: Within,
    steps: Steps,
    proofs: Proofs,
) -> MfaSetUpOut:
    """By who answers for it. The secret of its codes is shown this once."""
    caller, known = await manageable(request, account_id, machines, reach, steps, _UPDATE)
    response.headers["cache-control"] = "no-store"
    return await _set_up(proofs, known.machine.id, body, by=caller.urn)


@router.put("/iam/ai-agents/{agent_id}/mfa", operation_id="set_ai_agent_mfa", summary="How an agent proves itself")
@access(authenticated=True)
async def set_ai_agent_mfa(
    request: Request,
    response: Response,
    agent_id: str,
    body: MfaWanted,
    machines: Known,
    reach: Within,
    steps: Steps,
    proofs: Proofs,
) -> MfaSetUpOut:
    """By who answers for it. The secret of its codes is shown this once."""
    caller, known = await manageable(request, agent_id, machines, reach, steps, _UPDATE)
    response.headers["cache-control"] = "no-store"
    return await _set_up(proofs, known.machine.id, body, by=caller.urn)


async def _set_up(proofs: MachineProofs, machine_id: SubjectId, body: MfaWanted, *, by: str) -> MfaSetUpOut:
    wanted = MachineMfa(body.mode, body.applies_to, tuple(fingerprint(text) for text in body.certificates))
    made = await proofs.set_up(machine_id, wanted, by=by)
    shown = MachineMfaOut.of(made.known.machine.mfa)
    return MfaSetUpOut(
        **shown.model_dump(), secret=made.secret, uri=made.uri, qr_svg=qr_svg(made.uri) if made.uri else None
    )
