"""Grant, list, revoke, and act under a delegation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.errors import HumanOnly, InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import SubjectId

_LONGEST = timedelta(days=366)
_MOST_NAMES = 100
_LONGEST_NAME = 200
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class NewDelegation:
    """What an agent is to do for the caller."""

    agent_id: SubjectId | None
    domain: str
    permissions: frozenset[str]
    expires_at: datetime
    resources: frozenset[str] = frozenset()
    max_uses: int | None = None


class Delegations:
    """Grants of people to agents."""

    def __init__(self, transactions: Transactions, granting: Granting, clock: Clock) -> None:
        self._transactions = transactions
        self._granting = granting
        self._clock = clock

    async def grant(self, caller: Principal, wanted: NewDelegation) -> Delegation:
        """Let an agent act for the caller.

        Raises:
            HumanOnly: a machine cannot pass on what it was given.
            InvalidInput: no agent, no permission, or an end that is past or too far away.
            ExceedsOwnRights: a permission that the caller does not hold.
        """
        if caller.kind != "person":
            raise HumanOnly
        now = self._clock()
        if not wanted.permissions:
            raise InvalidInput("permissions", "is empty", "Name at least one permission.")
        for field, names in (("permissions", wanted.permissions), ("resources", wanted.resources)):
            if len(names) > _MOST_NAMES or any(not 0 < len(name) <= _LONGEST_NAME for name in names):
                raise InvalidInput(field, "is too long", f"At most {_MOST_NAMES} names of {_LONGEST_NAME} characters.")
        if not now < wanted.expires_at <= now + _LONGEST:
            raise InvalidInput("expires_at", "is out of range", f"Within the next {_LONGEST.days} days.")
        await self._granting.check_ceiling(caller.urn, wanted.permissions)
        async with self._transactions.writing() as unit:
            machine = await unit.machines.get(wanted.agent_id) if wanted.agent_id else None
            if machine is None or machine.status == "closed":
                raise InvalidInput("agent", "is not a machine", "Name an agent or service account.")
            made = Delegation(
                id=uuid7(),
                human_id=caller.id,
                agent_id=machine.id,
                agent=machine.urn,
                domain=wanted.domain,
                permissions=wanted.permissions,
                resources=wanted.resources,
                max_uses=wanted.max_uses,
                created_at=now,
                expires_at=wanted.expires_at,
            )
            await unit.delegations.add(made)
            unit.record(Fact("delegation.granted", caller.urn, machine.urn, details={"delegation": str(made.id)}))
        return made

    async def listed(self, caller: Principal, *, everybodys: bool = False) -> list[Delegation]:
        """Those of a person, those to a machine, or all."""
        async with self._transactions.reading() as unit:
            if everybodys:
                return await unit.delegations.all(limit=_SHOWN)
            if caller.kind == "person":
                return await unit.delegations.of_human(caller.id, limit=_SHOWN)
            return await unit.delegations.of_agent(caller.id, limit=_SHOWN)

    async def revoke(self, delegation_id: UUID, *, by: Principal, anybodys: bool = False) -> None:
        """End a grant at once; revoking it again changes nothing.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        async with self._transactions.writing() as unit:
            known = await unit.delegations.get(delegation_id)
            if known is None or not (anybodys or known.human_id == by.id):
                raise NotFound("delegation")
            if await unit.delegations.revoke(delegation_id, at=self._clock()):
                await unit.versions.raise_topic(SUBJECTS)
                unit.record(Fact("delegation.revoked", by.urn, known.agent, details={"delegation": str(delegation_id)}))

    async def usable(self, agent: Principal, presented: str) -> Delegation:
        """The living grant that an agent names.

        Raises:
            NotFound: there is none for this agent, its person is not active, or it has ended.
        """
        delegation_id = _id(presented)
        if delegation_id is None:
            raise NotFound("delegation")
        async with self._transactions.reading() as unit:
            known = await unit.delegations.get(delegation_id)
            human = await unit.subjects.get(known.human_id) if known else None
        if known is None or known.agent_id != agent.id or not known.lives(self._clock()):
            raise NotFound("delegation")
        if human is None or not human.active:
            raise NotFound("delegation")
        return known

    async def count_use(self, delegation_id: str) -> bool:
        """Count a request under a grant; ``False`` when none is left."""
        async with self._transactions.writing() as unit:
            return await unit.delegations.use(UUID(delegation_id), at=self._clock())


def _id(presented: str) -> UUID | None:
    try:
        return UUID(presented.strip())
    except ValueError:
        return None
