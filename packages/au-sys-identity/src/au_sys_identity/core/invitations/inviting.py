"""Invite people by mail; nobody invites to more than they hold."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import role_name
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.notices.models import Envelope
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.organizations.models import Organization
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import email_address


@dataclass(slots=True)
class InvitationRules:
    """How long invitations are good for. Changed in place when an administrator changes a setting."""

    life: timedelta = timedelta(days=7)


class Inviting:
    """Invitations of organizations, for those who run them."""

    def __init__(
        self,
        transactions: Transactions,
        granting: Granting,
        letters: LetterBox,
        clock: Clock,
        rules: InvitationRules,
        *,
        site: str,
    ) -> None:
        self._transactions = transactions
        self._granting = granting
        self._letters = letters
        self._clock = clock
        self._rules = rules
        self._site = site

    async def invite(self, slug: str, email: str, *, role: str | None, by: str) -> Invitation:
        """Ask somebody into an organization. Whether the address has an account is neither asked nor told.

        Raises:
            NotFound: no such organization or role.
            InvalidInput: the address is none.
            ExceedsOwnRights: the role holds more than whoever invites.
        """
        address, now = email_address(email), self._clock()
        if role is not None:
            role = role_name(role)
            await self._granting.check_grantable(role, by=by, domain=slug)
        async with self._transactions.writing() as unit:
            organization = await _organization(unit, slug)
            made = Invitation(
                id=uuid7(),
                organization_id=organization.id,
                email=address.shown,
                email_canonical=address.canonical,
                role=role,
                invited_by=by,
                created_at=now,
                expires_at=now + self._rules.life,
            )
            await unit.invitations.add(made)
            envelope = Envelope(address.canonical, invitation=made.id, text=self._sentence(organization))
            await self._letters.put_sealed_for_stranger(unit, "invitation", envelope, now=now)
            unit.record(Fact("invitation.sent", by, f"urn:au:invitation:{made.id}", details={"role": role}))
        return made

    async def of(self, slug: str, *, before: UUID | None = None, limit: int = 50) -> list[Invitation]:
        """Invitations of an organization, newest first.

        Raises:
            NotFound: there is no such organization.
        """
        async with self._transactions.reading() as unit:
            organization = await _organization(unit, slug)
            return await unit.invitations.of_organization(organization.id, before=before, limit=limit)

    async def revoke(self, slug: str, invitation_id: UUID, *, by: str) -> None:
        """Withdraw an open invitation; its link is dead.

        Raises:
            NotFound: the organization has no such open invitation.
        """
        async with self._transactions.writing() as unit:
            organization = await _organization(unit, slug)
            found = await unit.invitations.get(invitation_id)
            if found is None or found.organization_id != organization.id:
                raise NotFound("invitation")
            if not await unit.invitations.revoke(found.id, at=self._clock()):
                raise NotFound("open invitation")
            unit.record(Fact("invitation.revoked", by, f"urn:au:invitation:{found.id}"))

    def _sentence(self, organization: Organization) -> str:
        if organization.slug == "default":
            return f"you are invited to {self._site}."
        return f"you are invited to {organization.name} on {self._site}."


async def _organization(unit: UnitOfWork, slug: str) -> Organization:
    found = await unit.organizations.by_slug(slug)
    if found is None or found.status != "active":
        raise NotFound("organization")
    return found
