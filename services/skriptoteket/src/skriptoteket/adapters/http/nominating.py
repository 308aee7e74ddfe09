"""Nominate and decide over HTTP: who is meant, what is audited, and the right that follows at once."""

from dataclasses import dataclass
from uuid import UUID

from fastapi_services_platform import Principal
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.core.governance.nominations.deciding import Nominating, Row
from skriptoteket.core.governance.nominations.models import Nomination
from skriptoteket.core.governance.nominations.ports import Roles
from skriptoteket.core.roles import APPROVE_ADMINS, NOMINATE, Actor

_RIGHTS = (NOMINATE, APPROVE_ADMINS)


@dataclass(frozen=True, slots=True)
class NominationDesk:
    """Everything that nominations need. Lives as long as the app; ``roles`` is ``None`` where nobody provides them."""

    nominating: Nominating
    actors: Actors
    people: People
    ledger: Ledger
    roles: Roles | None

    async def actor(self, principal: Principal) -> Actor:
        """The caller with those of the two rights that it holds."""
        return await self.actors.of(principal, _RIGHTS)

    async def nominate(self, principal: Principal, subject: str, rationale: str) -> Nomination:
        """File a nomination of somebody, by URN or address. Raises as :meth:`Nominating.nominate`."""
        actor = await self.actor(principal)
        made = await self.nominating.nominate(actor, await self.people.candidate(subject), rationale)
        await self.ledger.record(principal, "nomination.filed", made.id, made.rationale, nominee=made.nominee)
        return made

    async def decide(self, principal: Principal, nomination_id: UUID, verdict: str, rationale: str) -> Row:
        """Approve or deny, and let the right follow. Raises as :meth:`Nominating.decide`."""
        decided, decision = await self.nominating.decide(await self.actor(principal), nomination_id, verdict, rationale)
        facts = {"nominee": decided.nominee, "verdict": decided.status}
        await self.ledger.record(principal, "nomination.decided", decided.id, rationale, **facts)
        return await self._followed(principal, (decided, decision))

    async def withdraw(self, principal: Principal, nomination_id: UUID) -> Nomination:
        """Take one's own back. Raises as :meth:`Nominating.withdraw`."""
        gone = await self.nominating.withdraw(await self.actor(principal), nomination_id)
        await self.ledger.record(principal, "nomination.withdrawn", gone.id, nominee=gone.nominee)
        return gone

    async def revoke(self, principal: Principal, subject: str, rationale: str) -> Row:
        """Take the right of an administrator. Raises as :meth:`Nominating.revoke`."""
        candidate = await self.people.candidate(subject)
        row = await self.nominating.revoke(await self.actor(principal), candidate.subject, rationale)
        await self.ledger.record(principal, "admin.revoked", row[0].id, rationale, subject=candidate.subject)
        return await self._followed(principal, row)

    async def _followed(self, principal: Principal, row: Row) -> Row:
        await self.nominating.follow(self.roles)
        every = await self.nominating.every(await self.actor(principal))
        return next((found for found in every if found[0].id == row[0].id), row)
