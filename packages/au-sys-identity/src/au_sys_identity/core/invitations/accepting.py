"""Accept an invitation: with the account of the invited address, or by making one."""

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.registration import NewPerson, Registration
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import BadToken, Denied, InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.organizations.membership import join
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person, SubjectId


class Accepting:
    """What the link of an invitation leads to."""

    def __init__(
        self, transactions: Transactions, registration: Registration, granting: Granting, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._registration = registration
        self._granting = granting
        self._clock = clock

    async def invited(self, token: str) -> tuple[str, bool]:
        """The address that was invited, and whether it has an account.

        Raises:
            BadToken: the link is of no use.
        """
        invitation = await self._open(token)
        async with self._transactions.reading() as unit:
            known = await unit.subjects.by_email(invitation.email_canonical)
        return invitation.email, known is not None

    async def accept(self, token: str, subject_id: SubjectId) -> Person:
        """Take somebody who is signed in into the organization.

        Raises:
            BadToken: the link is of no use, or was sent to another address.
        """
        invitation = await self._open(token)
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(subject_id)
            if person is None or not person.active or person.email_canonical != invitation.email_canonical:
                raise BadToken
            await self._take_in(unit, invitation, person)
        return person

    async def register(self, wanted: NewPerson, password: str, token: str, *, network: str) -> Person:
        """Make the account that the invitation asks for; the link proves its address.

        Raises:
            BadToken: the link is of no use, or was sent to another address; nothing is hashed.
            RegistrationClosed: nobody registers here, invited or not.
            Conflict: the address has an account; sign in and accept there.
            InvalidInput, WeakPassword, Busy: the link stays good.
        """
        invitation = await self._open(token)
        try:
            same = email_address(wanted.email).canonical == invitation.email_canonical
        except InvalidInput:
            same = False
        if not same:
            raise BadToken

        async def take_in(unit: UnitOfWork, person: Person) -> None:
            await self._take_in(unit, invitation, person)

        return await self._registration.admit(wanted, password, network=network, within=take_in)

    async def _open(self, token: str) -> Invitation:
        """The invitation behind a link, if whoever sent it could still do so.

        Raises:
            BadToken: it is of no use.
        """
        async with self._transactions.reading() as unit:
            found = await unit.invitations.by_token(digest(token))
            organization = await unit.organizations.get(found.organization_id) if found else None
        if found is None or organization is None or found.state(self._clock()) != "open":
            raise BadToken
        if found.role is not None:
            try:
                await self._granting.check_grantable(found.role, by=found.invited_by, domain=organization.slug)
            except (Denied, NotFound):
                raise BadToken from None
        return found

    async def _take_in(self, unit: UnitOfWork, invitation: Invitation, person: Person) -> None:
        if not await unit.invitations.accept(invitation.id, at=self._clock()):
            raise BadToken
        by = invitation.invited_by
        await join(unit, invitation.organization_id, person.id, by=by, at=self._clock())
        if invitation.role is not None:
            organization = await unit.organizations.get(invitation.organization_id)
            domain = organization.slug if organization else DEFAULT_SLUG
            await self._granting.grant_in(unit, person.urn, invitation.role, by=by, domain=domain)
        unit.record(Fact("invitation.accepted", person.urn, f"urn:au:invitation:{invitation.id}"))
