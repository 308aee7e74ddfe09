"""Replace a key by a successor while the old one still works for a time."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import AlreadyRotated, InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.tokens.key_format import new_key
from au_sys_identity.core.tokens.keys import KeyRules, MadeKey
from au_sys_identity.core.tokens.models import ApiKey

LONGEST_OVERLAP = timedelta(days=7)


class KeyRotation:
    """One rotation a key: of two at the same time, one succeeds."""

    def __init__(self, transactions: Transactions, granting: Granting, clock: Clock, rules: KeyRules) -> None:
        self._transactions = transactions
        self._granting = granting
        self._clock = clock
        self._rules = rules

    async def rotate(self, owner_id: SubjectId, key_id: UUID, *, overlap: timedelta, by: str) -> tuple[MadeKey, ApiKey]:
        """The successor with the same name, scopes and length of life, and the old key as it is now.

        Raises:
            NotFound: the owner has no such usable key.
            AlreadyRotated: it has a successor.
            ExceedsOwnRights: another than its owner rotates it, who would learn a key that gives more than they hold.
            InvalidInput: the overlap is out of range.
        """
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidInput("overlap_seconds", "is out of range", "Use 0 to 604800 seconds.")
        now = self._clock()
        async with self._transactions.reading() as unit:
            known = await unit.api_keys.get(key_id)
        if known is None or known.owner_id != owner_id:
            raise NotFound("key")
        if not by.endswith(f":{owner_id}"):
            await self._granting.check_ceiling(by, known.scopes)
        async with self._transactions.writing() as unit:
            old = await unit.api_keys.get(key_id)
            if old is None or not old.usable(now):
                raise NotFound("key")
            public_id, secret = new_key(self._rules.env)
            successor = replace(
                old,
                id=uuid7(),
                public_id=public_id,
                secret_hash=digest(secret),
                created_at=now,
                created_by=by,
                expires_at=now + (old.expires_at - old.created_at),
                last_used_at=None,
                overlap_until=None,
                superseded_by=None,
            )
            until = min(old.expires_at, now + overlap)
            if not await unit.api_keys.supersede(old.id, successor.id, overlap_until=until):
                raise AlreadyRotated
            await unit.api_keys.add(successor)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("key.rotated", by, f"urn:au:key:{old.id}", details={"successor": str(successor.id)}))
        return MadeKey(successor, secret), replace(old, overlap_until=until, superseded_by=successor.id)
