"""CredentialStore, GuessStore, PasswordHasher, BreachList and OnlineBreachList protocols."""

from datetime import datetime, timedelta
from typing import Protocol

from au_sys_identity.core.credentials.models import Counter, Device, PasswordRecord
from au_sys_identity.core.subjects.models import SubjectId


class CredentialStore(Protocol):
    """Passwords and known devices of subjects."""

    async def password(self, subject_id: SubjectId) -> PasswordRecord | None: ...

    async def set_password(self, record: PasswordRecord) -> None:
        """Keep the record, in place of an older one."""

    async def remove_password(self, subject_id: SubjectId) -> None: ...

    async def device(self, token_hash: bytes) -> Device | None: ...

    async def keep_device(self, device: Device) -> None:
        """Keep a device, or renew the one with the same hash."""

    async def devices(self, subject_id: SubjectId) -> list[Device]:
        """Last seen first."""

    async def forget_device(self, device: Device) -> bool: ...


class GuessStore(Protocol):
    """Counters of failures by scope and key; raising is atomic."""

    async def read(self, scope: str, key: bytes) -> Counter | None: ...

    async def raise_by_one(self, scope: str, key: bytes, *, now: datetime, window: timedelta) -> Counter:
        """Count one try; a counter whose window is over starts again at one."""

    async def lower_by_one(self, scope: str, key: bytes) -> None:
        """Take one try back, not below nothing."""

    async def block(self, scope: str, key: bytes, until: datetime) -> None: ...

    async def clear(self, scope: str, key: bytes) -> None: ...

    async def clear_beginning(self, scope: str, prefix: bytes) -> None:
        """Clear every counter whose key begins so."""

    async def forget_before(self, moment: datetime) -> int:
        """Delete counters whose window began earlier; how many."""


class PasswordHasher(Protocol):
    """Slow, salted hashes, computed where they hold nobody up.

    Raises (all three):
        Busy: too many are waiting already; nothing was computed.
    """

    async def hash(self, password: str, *, network: str = "") -> str: ...

    async def verify(self, password: str, hash: str | None, *, network: str = "") -> bool:
        """Whether the password fits. ``None`` costs the same and never fits: it is checked against a decoy."""

    def outdated(self, hash: str) -> bool:
        """Whether the hash was made in another way than the present one."""

    def verifies(self, hash: str) -> bool:
        """Whether a hash that another system made can be verified here, at a price that is bearable."""


class BreachList(Protocol):
    """Passwords that attackers try first."""

    def contains(self, password: str) -> bool: ...


class OnlineBreachList(Protocol):
    """Passwords known to be in attackers' hands, asked for elsewhere."""

    async def contains(self, password: str) -> bool:
        """Whether the list holds the password; ``False`` too when nobody answers within a second."""
