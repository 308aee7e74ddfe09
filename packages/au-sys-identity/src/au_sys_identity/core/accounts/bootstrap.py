"""The first administrator over HTTP: whoever has the operator's one-time token, once."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from au_sys_identity.core.access.models import PLATFORM_ADMIN
from au_sys_identity.core.accounts.registration import NewPerson, Registration
from au_sys_identity.core.errors import BootstrapClosed
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Person


class Bootstrap:
    """Open while nobody may do everything."""

    def __init__(
        self,
        transactions: Transactions,
        registration: Registration,
        token: Callable[[], Awaitable[str | None]],
        forget: Callable[[], Awaitable[None]],
    ) -> None:
        self._transactions = transactions
        self._registration = registration
        self._token = token
        self._forget = forget

    async def open(self) -> bool:
        """Whether there is no administrator yet."""
        async with self._transactions.reading() as unit:
            return not await unit.grants.holders(PLATFORM_ADMIN)

    async def first_admin(self, wanted: NewPerson, password: str, presented: str) -> Person:
        """Make the first administrator. Of any number that try at once one wins.

        Raises:
            BootstrapClosed: the token is not the one, or was used, or there is an administrator.
            InvalidInput, WeakPassword, Busy: as at registration; the token stays good.
        """
        token = await self._token() if await self.open() else None
        if token is None or not hmac.compare_digest(_hash(token), _hash(presented)):
            raise BootstrapClosed
        person, _ = await self._registration.create_admin(
            wanted, password=password, only_first=True, claims=_hash(token)
        )
        await self._forget()
        return person


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"bootstrap:" + token.encode("utf-8", "surrogatepass")).digest()
