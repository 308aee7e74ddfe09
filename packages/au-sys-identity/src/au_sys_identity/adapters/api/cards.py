"""A person as other answers show them: account, rights and factors put together."""

from au_sys_identity.adapters.api.schemas.subjects import MfaOut, UserOut
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import PLATFORM_ADMIN
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.models import Enrolled
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import Person


class People:
    """Builds the wire shape of persons."""

    def __init__(self, accounts: Accounts, decisions: Decisions, enrolment: Enrolment) -> None:
        self._accounts = accounts
        self._enrolment = enrolment
        self._decisions = decisions

    async def myself(self, caller: Principal) -> UserOut:
        """The caller's own account, from what verifying the credential found; no further look-up."""
        if caller.account is None:
            raise NotFound("person")
        roles = await self._decisions.roles_of(caller.urn, person=True)
        return UserOut.of(
            caller.account,
            superuser=any(role.name == PLATFORM_ADMIN for role in roles),
            must_change=caller.must_change_password,
            mfa=_mfa(caller.enrolled),
        )

    async def shown(self, person: Person) -> UserOut:
        """One person."""
        roles = await self._decisions.roles_of(person.urn, person=True)
        enrolled = await self._enrolment.enrolled(person.id)
        return UserOut.of(
            person,
            superuser=any(role.name == PLATFORM_ADMIN for role in roles),
            must_change=await self._accounts.must_change_password(person.id),
            mfa=_mfa(enrolled),
        )


def _mfa(enrolled: Enrolled) -> MfaOut:
    return MfaOut(totp=enrolled.totp, passkeys=enrolled.passkeys, recovery_codes_left=enrolled.recovery_codes_left)
