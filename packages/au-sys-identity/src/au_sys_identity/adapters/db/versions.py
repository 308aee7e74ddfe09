"""VersionStore on SQL."""

from collections.abc import Mapping

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import versions

CHANNEL = "identity_versions"
"""Where PostgreSQL tells every process, at the commit, which topic has a new version."""
_TELL = text("SELECT pg_notify(:channel, :topic)")


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
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(_TELL, {"channel": CHANNEL, "topic": topic})
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
