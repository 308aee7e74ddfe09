"""Who answers for a machine sees exactly one call and decides it, at that moment."""

import hmac
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.approvals.asking import arguments_place
from au_sys_identity.core.approvals.models import Approval, ApprovalRules, Verdict, decision_target
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import (
    ActMismatch,
    AlreadyDecided,
    BadCredentials,
    HumanOnly,
    NotCustodian,
    NotFound,
    SignatureRequired,
)
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.models import Signature
from au_sys_identity.core.machines.custody import custodians
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.subjects.names import plain_text

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """What a custodian says, and which act she saw when she said it."""

    verdict: Verdict
    act_hash: bytes
    assertion: str | None = None
    note: str = ""


class Deciding:
    """Approvals as people see them."""

    def __init__(
        self,
        transactions: Transactions,
        sealing: Sealing,
        steps: StepUp,
        check: PasskeyCheck,
        clock: Clock,
        rules: ApprovalRules,
    ) -> None:
        self._transactions = transactions
        self._sealing = sealing
        self._steps = steps
        self._check = check
        self._clock = clock
        self.rules = rules

    async def inbox(self, caller: Principal) -> list[Approval]:
        """What machines that the caller answers for asked, and what she decided, newest first."""
        async with self._transactions.reading() as unit:
            machines = [edge.target for edge in await unit.edges.out_of(caller.id, "owner_of")]
            asked = await unit.approvals.of_requesters(await self._below(unit, machines), limit=_SHOWN)
            mine = [known for known in asked if await self._answers(unit, caller, known.requester_id)]
            decided = await unit.approvals.decided_by(caller.urn, limit=_SHOWN)
        found = {known.id: known for known in [*mine, *decided]}
        return sorted(found.values(), key=lambda known: known.id, reverse=True)[:_SHOWN]

    async def get(self, caller: Principal, approval_id: UUID, *, readable: bool = False) -> Approval:
        """One approval, for its machine, those who answer for it, and who decided it; ``readable`` for anybody.

        Raises:
            NotFound: there is none that the caller may know about.
        """
        async with self._transactions.reading() as unit:
            known = await unit.approvals.get(approval_id)
            if known is None:
                raise NotFound("approval")
            if readable or known.requester_id == caller.id or known.decided_by == caller.urn:
                return known
            if caller.kind == "person" and await self._answers(unit, caller, known.requester_id):
                return known
        raise NotFound("approval")

    def arguments(self, approval: Approval) -> Any:  # Any: JSON
        """The arguments in clear, or ``None`` when only their hash is known."""
        if approval.arguments_sealed is None:
            return None
        return json.loads(self._sealing.unseal(arguments_place(approval.id), approval.arguments_sealed))

    async def options(self, caller: Principal, approval_id: UUID) -> dict[str, Any]:  # Any: JSON
        """What the browser needs to sign the act with one of the caller's passkeys.

        Raises:
            NotFound, NotCustodian: as :meth:`decide`.
        """
        async with self._transactions.reading() as unit:
            known = await self._decidable(unit, caller, approval_id)
            passkeys = await unit.passkeys.of_subject(caller.id)
        allowed = [(passkey.credential_id, passkey.transports) for passkey in passkeys]
        return self._check.ceremony.request_options(challenge=known.act.hash(), allow=allowed)

    async def decide(self, caller: Principal, approval_id: UUID, said: Decision) -> Approval:
        """Approve or deny.

        Raises:
            HumanOnly, WeakSession, StepUpRequired: who decides is not sure enough. A signature is the fresh proof.
            NotFound, NotCustodian: the caller does not answer for the machine at this moment.
            AlreadyDecided: somebody did, it was withdrawn, or its time is over.
            ActMismatch: the decision names another act than the one that waits.
            SignatureRequired: this act is approved with a passkey only.
            BadCredentials: the signature does not fit.
        """
        if caller.kind != "person":
            raise HumanOnly
        note = plain_text(said.note, "note", 500) if said.note else ""
        signs = said.verdict == "approve" and bool(said.assertion)
        await (self._steps.require_strongest(caller) if signs else self._steps.require(caller, own_security=True))
        signed: Signature | None = None
        async with self._transactions.writing() as unit:
            now = self._clock()
            known = await self._decidable(unit, caller, approval_id)
            if known.state_at(now) != "pending":
                raise AlreadyDecided
            if not hmac.compare_digest(known.act.hash(), said.act_hash):
                raise ActMismatch
            if said.verdict == "approve":
                if said.assertion:
                    signed = await self._check.signature(unit, said.assertion, known.act.hash(), caller.id, now=now)
                elif known.asks_signature(self.rules):
                    raise SignatureRequired
            if not (signs and signed is None):
                decided = known.decided(said.verdict, caller.urn, now, rules=self.rules, note=note, signed=signed)
                if not await unit.approvals.decide(decided):
                    raise AlreadyDecided
                unit.record(_decided(decided))
        if signs and signed is None:
            raise BadCredentials
        return decided

    async def _decidable(self, unit: UnitOfWork, caller: Principal, approval_id: UUID) -> Approval:
        known = await unit.approvals.get(approval_id)
        if known is None:
            raise NotFound("approval")
        if caller.kind != "person" or not await self._answers(unit, caller, known.requester_id):
            if caller.urn in known.addressed_to or caller.id == known.requester_id:
                raise NotCustodian
            raise NotFound("approval")
        return known

    async def _answers(self, unit: UnitOfWork, caller: Principal, machine_id: SubjectId) -> bool:
        machine = await unit.machines.get(machine_id)
        if machine is None or machine.status == "closed":
            return False
        found = await custodians(unit, machine, self._clock())
        return any(person.id == caller.id and person.active for person in found)

    async def _below(self, unit: UnitOfWork, machines: list[SubjectId]) -> list[SubjectId]:
        """These machines and all that were made by them."""
        found, waiting = list(dict.fromkeys(machines)), list(machines)
        while waiting:
            for edge in await unit.edges.into(waiting.pop(), "child_of"):
                if edge.source not in found:
                    found.append(edge.source)
                    waiting.append(edge.source)
        return found


def _decided(approval: Approval) -> Fact:
    return Fact(
        "approval.decided",
        str(approval.decided_by),
        decision_target(approval.id, approval.act.hash()),
        details={
            "verdict": approval.state,
            "act_hash": approval.act.hash().hex(),
            "requester": approval.act.requester,
            "signed": approval.signature is not None,
        },
    )
