"""The guard's half: does this approval fit what arrived, and is it used up by it."""

import hmac
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.approvals.models import Act, Approval, Call
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal


class Using:
    """Checks and uses approvals."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def fits(self, caller: Principal, presented: str, call: Call) -> Approval | None:
        """The approval that was given for exactly this call by this caller, and is still good; else ``None``."""
        approval_id = _id(presented)
        if approval_id is None:
            return None
        async with self._transactions.reading() as unit:
            known = await unit.approvals.get(approval_id)
        if known is None or known.requester_id != caller.id:
            return None
        arrived = Act(known.id, caller.urn, caller.on_behalf_of, call, known.expires_at)
        same = hmac.compare_digest(arrived.hash(), known.act.hash())
        return known if same and known.state_at(self._clock()) == "approved" else None

    async def use(self, caller: Principal, approval: Approval) -> bool:
        """Use it up, before the act runs; ``False`` when somebody did, or its time is over."""
        now: datetime = self._clock()
        async with self._transactions.writing() as unit:
            if not await unit.approvals.use(approval.id, at=now):
                return False
            details = {"act_hash": approval.act.hash().hex()}
            unit.record(Fact("approval.used", caller.urn, f"urn:au:approval:{approval.id}", details=dict(details)))
        return True

    async def refused(self, caller: Principal, presented: str) -> None:
        """Note that an approval was presented which does not fit."""
        resource = f"urn:au:approval:{found}" if (found := _id(presented)) else "urn:au:approval:none"
        async with self._transactions.writing() as unit:
            unit.record(Fact("approval.refused", caller.urn, resource, "denied", "it does not fit the call"))


def act_of(caller: Principal, call: Call) -> Act:
    """The act of a call that nobody asked for yet."""
    return Act(None, caller.urn, caller.on_behalf_of, call, None)


def _id(presented: str) -> UUID | None:
    try:
        return UUID(presented.strip())
    except ValueError:
        return None
