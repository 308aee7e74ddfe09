"""How much one network may ask for: sign-ins, letters, and everything else that strangers may call.

Counted apart from guesses, and before anything is looked up. A device that signed in to the account before is let
through beyond the limit, so that a busy or hostile neighbour locks nobody out. Unknown addresses are counted like known
ones.
"""

from dataclasses import dataclass
from typing import Protocol

from au_sys_identity.core.derivation import Derivation, digest
from au_sys_identity.core.errors import TooManyRequests
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.sign_in import canonical_or_typed


class Windows(Protocol):
    """Where requests are counted: in this process, or for all nodes together."""

    async def hit(self, limit: str, key: str) -> int:
        """Count one of ``key``, unless that is beyond ``limit`` such as ``30/minute``. Returns 0, or the seconds until
        there is room.
        """


@dataclass(slots=True)
class VolumeRules:
    """Limits for each network; the one of letters also for each address. Changed in place with the settings."""

    sign_in: str = "30/minute"
    mail: str = "5/hour"
    default: str = "600/minute"


class Volume:
    """Counts, and refuses what is too much."""

    def __init__(
        self, windows: Windows, transactions: Transactions, derivation: Derivation, rules: VolumeRules
    ) -> None:
        self._windows = windows
        self._transactions = transactions
        self._derivation = derivation
        self._rules = rules

    async def sign_in(self, client: Client, email: str = "") -> None:
        """Count a sign-in, or a step of one.

        Raises:
            TooManyRequests: beyond the limit of the network, and no device that this account knows.
        """
        await self._count("sign-in", self._rules.sign_in, client.network, client, email)

    async def mail(self, client: Client, email: str) -> None:
        """Count something that sends a letter.

        Raises:
            TooManyRequests: beyond the limit of the network or of the address, and no device that the account knows.
        """
        address = canonical_or_typed(email)
        await self._count("mail", self._rules.mail, client.network, client, address)
        await self._count("mail-to", self._rules.mail, address, client, address)

    async def anything(self, network: str) -> None:
        """Count another request of nobody in particular.

        Raises:
            TooManyRequests: beyond the limit of the network.
        """
        wait = await self._windows.hit(self._rules.default, self._key("default", network))
        if wait:
            raise TooManyRequests(wait)

    async def _count(self, kind: str, limit: str, who: str, client: Client, email: str) -> None:
        wait = await self._windows.hit(limit, self._key(kind, who))
        if wait and not await self._is_known(client, canonical_or_typed(email)):
            raise TooManyRequests(wait)

    def _key(self, kind: str, who: str) -> str:
        """What is counted under; a shared store learns no address from it."""
        return self._derivation.keyed_hash("volume", kind.encode(), who.encode("utf-8", "surrogatepass")).hex()

    async def _is_known(self, client: Client, canonical: str) -> bool:
        if not client.device_token or not canonical:
            return False
        async with self._transactions.reading() as unit:
            device = await unit.credentials.device(digest(client.device_token))
            person = await unit.subjects.by_email(canonical)
        return bool(device and person and device.subject_id == person.id)
