"""SigningKeyStore on SQL."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import signing_keys
from au_sys_identity.core.tokens.models import KeyState, SigningKey


class SqlSigningKeys:
    """The table ``signing_keys``; a partial unique index lets one key be active."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self) -> list[SigningKey]:
        """See :class:`~au_sys_identity.core.tokens.ports.SigningKeyStore`."""
        rows = await self._session.execute(select(signing_keys).order_by(signing_keys.c.active_from))
        return [
            SigningKey(
                row.kid, row.algorithm, row.public_jwk, row.private_enc, row.state, row.active_from, row.retire_at
            )
            for row in rows
        ]

    async def add(self, key: SigningKey) -> bool:
        """See :class:`~au_sys_identity.core.tokens.ports.SigningKeyStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(signing_keys).values(
                        kid=key.kid,
                        algorithm=key.algorithm,
                        public_jwk=key.public_jwk,
                        private_enc=key.private_sealed,
                        state=key.state,
                        active_from=key.active_from,
                        retire_at=key.retire_at,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def set_state(self, kid: str, state: KeyState, *, retire_at: datetime | None) -> None:
        """See :class:`~au_sys_identity.core.tokens.ports.SigningKeyStore`."""
        await self._session.execute(
            update(signing_keys).where(signing_keys.c.kid == kid).values(state=state, retire_at=retire_at)
        )

    async def remove(self, kid: str) -> None:
        """See :class:`~au_sys_identity.core.tokens.ports.SigningKeyStore`."""
        await self._session.execute(delete(signing_keys).where(signing_keys.c.kid == kid))
