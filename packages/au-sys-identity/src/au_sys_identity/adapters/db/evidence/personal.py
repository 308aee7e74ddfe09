"""Keys of subjects, and the events that are written with a change."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.dialects import inserting
from au_sys_identity.adapters.db.tables import audit_events, subject_keys
from au_sys_identity.core.audit.cause import present_cause
from au_sys_identity.core.audit.recording import draft
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.subjects.models import SubjectId

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MOST_KEYS = 10_000
_WRITE = insert(audit_events)


class PersonalKeys:
    """What seals personal details: an AES-256-GCM key for each subject, wrapped with the root key.

    Keys that sealed something committed are remembered for sealing; opening always asks the database, so that a
    destroyed key opens nothing.
    """

    def __init__(self, root: Sealing) -> None:
        self.root = root
        self._known: OrderedDict[SubjectId, bytes] = OrderedDict()

    def forget(self) -> None:
        """Ask the database again; after a restore other keys may be in force."""
        self._known.clear()

    def remember(self, made: dict[SubjectId, bytes]) -> None:
        """Keep keys whose transaction was committed."""
        self._known.update(made)
        while len(self._known) > _MOST_KEYS:
            self._known.popitem(last=False)

    def known(self, subject_id: SubjectId) -> bytes | None:
        """A remembered key."""
        return self._known.get(subject_id)

    def drop(self, subject_id: SubjectId) -> None:
        """Forget one."""
        self._known.pop(subject_id, None)

    def wrap(self, subject_id: SubjectId, key: bytes) -> bytes:
        """As it is stored."""
        return self.root.seal(f"subject_keys:{subject_id}", key)

    def unwrap(self, subject_id: SubjectId, wrapped: bytes) -> bytes:
        """Out of what is stored."""
        return self.root.unseal(f"subject_keys:{subject_id}", wrapped)


class SqlSubjectKeys:
    """The table ``subject_keys`` inside one transaction."""

    def __init__(self, session: AsyncSession, keys: PersonalKeys) -> None:
        self._session = session
        self._keys = keys
        self.made: dict[SubjectId, bytes] = {}

    async def sealed(self, subject_id: SubjectId, place: str, plain: bytes, *, at: datetime) -> bytes | None:
        """Seal something for a subject; ``None`` when its key was destroyed: then nothing is kept of it."""
        key = await self.key(subject_id, at)
        return None if key is None else seal_with(key, place, plain)

    async def unsealed(self, subject_id: SubjectId, place: str, sealed: bytes) -> bytes | None:
        """See :class:`~au_sys_identity.core.audit.ports.SubjectKeyStore`."""
        key = await self.stored(subject_id)
        return None if key is None else unseal_with(key, place, sealed)

    async def destroy(self, subject_id: SubjectId, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.audit.ports.SubjectKeyStore`."""
        await self._insert(subject_id, None, at)
        gone = await self._session.execute(
            update(subject_keys)
            .where(subject_keys.c.subject_id == subject_id, subject_keys.c.destroyed_at.is_(None))
            .values(wrapped_key=None, destroyed_at=at)
            .returning(subject_keys.c.subject_id)
        )
        self._keys.drop(subject_id)
        self.made.pop(subject_id, None)
        return gone.first() is not None

    async def key(self, subject_id: SubjectId, at: datetime) -> bytes | None:
        """The key of a subject, made when there is none; ``None`` when it was destroyed."""
        known = self.made.get(subject_id) or self._keys.known(subject_id)
        if known is not None:
            return known
        key = await self.stored(subject_id)
        if key is None:
            fresh = os.urandom(_KEY_BYTES)
            await self._insert(subject_id, self._keys.wrap(subject_id, fresh), at)
            key = await self.stored(subject_id)
        if key is not None:
            self.made[subject_id] = key
        return key

    async def stored(self, subject_id: SubjectId) -> bytes | None:
        """The key as the database has it."""
        query = select(subject_keys.c.wrapped_key).where(subject_keys.c.subject_id == subject_id)
        wrapped = (await self._session.execute(query)).scalar()
        return None if wrapped is None else self._keys.unwrap(subject_id, wrapped)

    async def _insert(self, subject_id: SubjectId, wrapped: bytes | None, at: datetime) -> None:
        made = inserting(self._session)(subject_keys)
        row = {"subject_id": subject_id, "wrapped_key": wrapped, "created_at": at}
        await self._session.execute(made.values(row).on_conflict_do_nothing(index_elements=["subject_id"]))


async def write_events(
    session: AsyncSession, keys: SqlSubjectKeys, facts: Sequence[Fact], clock: Clock
) -> list[dict[str, object]]:
    """Write the events of a transaction, all in one statement; the rows that were added."""
    cause, at = present_cause(), clock()
    rows: list[dict[str, object]] = []
    for fact in facts:
        made = draft(fact, cause, uuid7(), at)
        body = made.body(None) if made.concerned is None else None
        if made.concerned is not None:
            sealed = await keys.sealed(made.concerned, made.place, made.details, at=at)
            body = made.body(b"" if sealed is None else sealed)
        rows.append({"id": made.id, "at": at, "body": body})
    await session.execute(_WRITE, rows)
    return rows


def seal_with(key: bytes, place: str, plain: bytes) -> bytes:
    """AES-256-GCM, tied to a place."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal_with(key: bytes, place: str, sealed: bytes) -> bytes | None:
    """What was sealed, or ``None`` when it was sealed with another key or is nothing."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        return None
