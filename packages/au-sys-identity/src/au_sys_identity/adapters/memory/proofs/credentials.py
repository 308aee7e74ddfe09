"""PasswordHasher and Derivation without cost, for tests of what surrounds them."""

import hashlib
import hmac

from au_sys_identity.core.errors import Busy


class PlainHasher:
    """Hashes fast and counts; ``full`` makes it refuse as a full queue would."""

    def __init__(self) -> None:
        self.computed = 0
        self.full = False
        self.parameters = "1"

    async def hash(self, password: str, *, network: str = "") -> str:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        self._count()
        return f"{self.parameters}${hashlib.sha256(password.encode()).hexdigest()}"

    async def verify(self, password: str, hash: str | None, *, network: str = "") -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        self._count()
        return hash is not None and hash.partition("$")[2] == hashlib.sha256(password.encode()).hexdigest()

    def outdated(self, hash: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        return hash.partition("$")[0] != self.parameters

    def verifies(self, hash: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        return "$" in hash

    def _count(self) -> None:
        if self.full:
            raise Busy
        self.computed += 1


class FixedDerivation:
    """Keyed hashes under a key that everybody knows."""

    def older_hash(self, purpose: str, *parts: bytes) -> bytes | None:
        return None

    def keyed_hash(self, purpose: str, *parts: bytes) -> bytes:
        """See :class:`~au_sys_identity.core.derivation.Derivation`."""
        return hmac.new(purpose.encode(), b"\0".join(parts), hashlib.sha256).digest()


class ListedBreaches:
    """A breach list of given passwords."""

    def __init__(self, *passwords: str) -> None:
        self._passwords = frozenset(passwords)

    def contains(self, password: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.BreachList`."""
        return password in self._passwords
