"""The platform's ``request-guard@1``: machine MFA, approvals, grants, declared models and step-up on the way in."""

import hmac
import json
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import HTTPConnection

from au_sys_identity.adapters.api.door.authentication import caller_or_none, put_caller
from au_sys_identity.adapters.api.door.certificates import CertificateReader
from au_sys_identity.adapters.api.door.declared_acts import Asked, asked_of
from au_sys_identity.adapters.api.problems import refusal
from au_sys_identity.core.accounts.step_up import StepUp, require_proof
from au_sys_identity.core.approvals.models import Approval, Call
from au_sys_identity.core.approvals.using import Using, act_of
from au_sys_identity.core.delegations.grants import Delegations
from au_sys_identity.core.errors import ApprovalRefused, ApprovalRequired, IdentityError, ModelMismatch
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.machines.proving import MachineProofs, certificate_counts
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.principal import Principal
from fastapi_services_platform import GuardedRequest, Refused

_APPROVAL_KEY: Final = "au_sys_identity.approval"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ENDED = Refused("identity/denied", "The grant that this acts under has no use left.", status=403)


@dataclass(frozen=True, slots=True)
class ActGuard:
    """Lets a request through, or says what is missing."""

    proofs: MachineProofs
    using: Using
    delegations: Delegations
    steps: StepUp
    certificates: CertificateReader
    clock: Clock

    async def before(self, request: GuardedRequest) -> Refused | None:
        """Does the machine prove itself, where it must."""
        caller = caller_or_none(request.connection)
        if caller is None or caller.machine is None:
            return None
        try:
            await self._prove(request, caller, caller.machine)
        except IdentityError as error:
            return refusal(error)
        return None

    async def after(self, request: GuardedRequest) -> Refused | None:
        """The declared model, step-up, and at the very last the approval, which is used up, and a use of the grant."""
        caller = caller_or_none(request.connection)
        if caller is None:
            return None
        asked = asked_of(request.endpoint)
        try:
            await self._model(request, caller, asked)
            if asked.step_up:
                await self.steps.require(caller)
            approval = request.connection.scope.get(_APPROVAL_KEY)
            if asked.approval and caller.machine is not None and not isinstance(approval, Approval):
                raise ApprovalRequired(act_of(caller, await _call(request)).hash().hex())
            if isinstance(approval, Approval) and not await self.using.use(caller, approval):
                raise ApprovalRefused
        except IdentityError as error:
            return refusal(error)
        if caller.delegation_id is not None and not await self.delegations.count_use(caller.delegation_id):
            return _ENDED
        return None

    async def _prove(self, request: GuardedRequest, caller: Principal, machine: Machine) -> None:
        """Find out whether the machine proved itself, and refuse where it must have.

        Raises:
            ApprovalRefused, ApprovalRequired, MachineMfaRequired, TooManyAttempts: it did not.
        """
        fitting = await self._presented(request, caller)
        proved, act_hash = fitting is not None, ""
        asked = machine.mfa.asked(request.method, request.reversibility)
        if machine.mfa.mode == "human_delegated" and asked_of(request.endpoint).open:
            asked = False
        if machine.mfa.mode == "mtls_bound":
            proved = await self._certified(request.connection, machine)
        elif machine.mfa.mode == "tool_assisted_totp":
            proved = await self._coded(request, caller, machine, asked=asked)
        elif machine.mfa.mode == "human_delegated" and not proved and (asked or request.method not in _READING):
            act_hash = act_of(caller, await _call(request)).hash().hex()
        caller = replace(caller, proved=proved, act_hash=act_hash)
        put_caller(request.connection, caller)
        if asked:
            require_proof(caller, machine.mfa.mode)

    async def _presented(self, request: GuardedRequest, caller: Principal) -> Approval | None:
        presented = request.connection.headers.getlist("x-approval")
        if not presented:
            return None
        found = await self.using.fits(caller, presented[0], await _call(request)) if len(presented) == 1 else None
        if found is None:
            await self.using.refused(caller, presented[0])
            raise ApprovalRefused
        request.connection.scope[_APPROVAL_KEY] = found
        return found

    async def _certified(self, connection: HTTPConnection, machine: Machine) -> bool:
        if not self.certificates.offered(connection):
            return False
        if not self.certificates.trusts(connection):
            await self.proofs.ignored_certificate(machine, self.certificates.peer(connection))
            return False
        shown = self.certificates.read(connection)
        if shown is None:
            return False
        return certificate_counts(machine, shown.fingerprint, (shown.not_before, shown.not_after), self.clock())

    async def _coded(self, request: GuardedRequest, caller: Principal, machine: Machine, *, asked: bool) -> bool:
        code = request.connection.headers.get("x-mfa-code")
        if code is not None:
            return await self.proofs.code_counts(machine, caller.key_id, code)
        if request.reversibility == "irreversible" or not (asked or request.method not in _READING):
            return False
        return await self.proofs.window_open(caller.key_id)

    async def _model(self, request: GuardedRequest, caller: Principal, asked: Asked) -> None:
        """Hold an agent to the models that it is made of.

        Raises:
            ModelMismatch: it declares another one, or none where one is asked for.
        """
        if caller.machine is None or caller.kind != "agent":
            return
        declared = request.connection.headers.get("x-ai-model")
        if asked.model_from is not None:
            declared = _member(await request.body(), asked.model_from)
            if declared is None:
                raise ModelMismatch
        if declared is not None and not fits_model(declared, caller.machine.model_names):
            raise ModelMismatch


def fits_model(declared: str, names: tuple[str, ...]) -> bool:
    """Whether a model is one of an agent's: the same name, or one that a final ``*`` leaves open."""
    return any(
        declared.startswith(name[:-1]) if name.endswith("*") else hmac.compare_digest(declared.encode(), name.encode())
        for name in names
    )


def _member(body: bytes, place: str) -> str | None:
    """The text that stands at ``body.a.b`` of a JSON body."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in place.removeprefix("body.").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


async def _call(request: GuardedRequest) -> Call:
    """What actually arrived."""
    scope = request.connection.scope
    query = scope.get("query_string", b"").decode("latin-1")
    kind = request.connection.headers.get("content-type", "")
    return Call.of(request.method, scope["path"], query, await request.body(), kind)
