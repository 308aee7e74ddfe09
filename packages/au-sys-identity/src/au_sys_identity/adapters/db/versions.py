"""VersionStore on SQL."""

from collections.abc import Mapping

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import versions


class SqlVersions:
    """The table ``versions``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.raised = False

    async def read(self) -> Mapping[str, int]:
        """See :class:`~au_sys_identity.core.access.ports.VersionStore`."""
        return {row.topic: row.version for row in await self._session.execute(select(versions))}

    async def raise_topic(self, topic: str) -> int:
        """See :class:`~au_sys_identity.core.access.ports.VersionStore`."""
        self.raised = True
        row = (
            await self._session.execute(
                update(versions)
                .where(versions.c.topic == topic)
                .values(version=versions.c.version + 1)
                .returning(versions.c.version)
            )
        ).first()
        if row is None:
            await self._session.execute(insert(versions).values(topic=topic, version=1))
            return 1
        return int(row.version)
