"""Make, list and revoke API keys; a key never holds more than its owner, and is shown once."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import InvalidInput, KeyLimit, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import Person, SubjectId, SubjectUrn
from au_sys_identity.core.subjects.names import display_name
from au_sys_identity.core.tokens.key_format import PREFIXES, KeyEnv, new_key
from au_sys_identity.core.tokens.models import ApiKey


@dataclass(slots=True)
class KeyRules:
    """How long keys live and how many there may be. Changed in place when an administrator changes a setting."""

    default_days: int = 90
    longest_days: int = 366
    per_subject: int = 20
    env: KeyEnv = "live"


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key with its secret."""

    key: ApiKey
    secret: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """How it begins."""
        return self.secret[: self.secret.index(self.key.public_id)]


class ApiKeys:
    """Keys of persons and machines."""

    def __init__(self, transactions: Transactions, granting: Granting, clock: Clock, rules: KeyRules) -> None:
        self._transactions = transactions
        self._granting = granting
        self._clock = clock
        self._rules = rules

    @property
    def prefix(self) -> str:
        """How keys begin here."""
        return PREFIXES[self._rules.env]

    async def create(
        self,
        owner: Person | Machine,
        name: str,
        scopes: frozenset[str],
        *,
        by: SubjectUrn | None = None,
        expires_in: timedelta | None = None,
    ) -> MadeKey:
        """Make a key, for oneself or (``by``) for a machine. Effective is what its owner holds and its scopes name.

        Raises:
            InvalidInput: no scope, or too long a life.
            ExceedsOwnRights: a scope that its maker does not hold.
            KeyLimit: there are enough.
        """
        if not scopes:
            raise InvalidInput("scopes", "is empty", "Name at least one permission that the key is for.")
        life = expires_in or timedelta(days=self._rules.default_days)
        if not timedelta() < life <= timedelta(days=self._rules.longest_days):
            raise InvalidInput("expires_in", "is out of range", f"At most {self._rules.longest_days} days.")
        maker = by or owner.urn
        await self._granting.check_ceiling(maker, scopes)
        now = self._clock()
        public_id, secret = new_key(self._rules.env)
        made = ApiKey(
            id=uuid7(),
            public_id=public_id,
            secret_hash=digest(secret),
            owner_id=owner.id,
            name=display_name(name, "name"),
            scopes=scopes,
            created_at=now,
            expires_at=now + life,
            created_by=maker,
        )
        async with self._transactions.writing() as unit:
            usable = [key for key in await unit.api_keys.of_owner(owner.id) if key.usable(now)]
            if sum(key.superseded_by is None for key in usable) >= self._rules.per_subject:
                raise KeyLimit(self._rules.per_subject)
            await unit.api_keys.add(made)
            unit.record(Fact("key.created", maker, f"urn:au:key:{made.id}"))
        return MadeKey(made, secret)

    async def of_owner(self, owner_id: SubjectId) -> list[ApiKey]:
        """Keys of a subject, oldest first, the dead ones too."""
        async with self._transactions.reading() as unit:
            return await unit.api_keys.of_owner(owner_id)

    async def revoke(self, key_id: UUID, *, by: str, owner_id: SubjectId | None) -> None:
        """Revoke a key for good; ``owner_id`` limits it to the keys of one subject.

        Raises:
            NotFound: there is no such key, or it is somebody else's.
        """
        async with self._transactions.writing() as unit:
            key = await unit.api_keys.get(key_id)
            if key is None or (owner_id is not None and key.owner_id != owner_id):
                raise NotFound("key")
            if await unit.api_keys.revoke(key_id, at=self._clock()):
                await unit.versions.raise_topic(SUBJECTS)
                unit.record(Fact("key.revoked", by, f"urn:au:key:{key_id}"))
