"""KeyStore on SQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import api_keys
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.tokens.models import ApiKey


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        row.id,
        row.public_id,
        row.secret_hash,
        row.owner_id,
        row.name,
        frozenset(row.scopes.split(" ")),
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.created_by,
        row.overlap_until,
        row.superseded_by,
    )


class SqlKeys:
    """The table ``api_keys``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: ApiKey) -> None:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        await self._session.execute(
            insert(api_keys).values(
                id=key.id,
                public_id=key.public_id,
                secret_hash=key.secret_hash,
                owner_id=key.owner_id,
                name=key.name,
                scopes=" ".join(sorted(key.scopes)),
                created_at=key.created_at,
                expires_at=key.expires_at,
                last_used_at=key.last_used_at,
                revoked_at=key.revoked_at,
                created_by=key.created_by,
                overlap_until=key.overlap_until,
                superseded_by=key.superseded_by,
            )
        )

    async def get(self, key_id: UUID) -> ApiKey | None:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        row = (await self._session.execute(select(api_keys).where(api_keys.c.id == key_id))).first()
        return _key(row) if row else None

    async def by_public_id(self, public_id: str) -> ApiKey | None:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        row = (await self._session.execute(select(api_keys).where(api_keys.c.public_id == public_id))).first()
        return _key(row) if row else None

    async def of_owner(self, owner_id: SubjectId) -> list[ApiKey]:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        wanted = select(api_keys).where(api_keys.c.owner_id == owner_id).order_by(api_keys.c.id)
        return [_key(row) for row in await self._session.execute(wanted)]

    async def revoke(self, key_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        revoked = await self._session.execute(statement.values(revoked_at=at).returning(api_keys.c.id))
        return revoked.first() is not None

    async def revoke_all(self, owner_id: SubjectId, *, at: datetime) -> int:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        statement = update(api_keys).where(api_keys.c.owner_id == owner_id, api_keys.c.revoked_at.is_(None))
        revoked = await self._session.execute(statement.values(revoked_at=at).returning(api_keys.c.id))
        return len(revoked.all())

    async def supersede(self, key_id: UUID, successor: UUID, *, overlap_until: datetime) -> bool:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        statement = update(api_keys).where(
            api_keys.c.id == key_id, api_keys.c.superseded_by.is_(None), api_keys.c.revoked_at.is_(None)
        )
        named = statement.values(superseded_by=successor, overlap_until=overlap_until).returning(api_keys.c.id)
        return (await self._session.execute(named)).first() is not None

    async def used(self, key_id: UUID, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""
        await self._session.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=at))
