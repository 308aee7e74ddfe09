"""FeedStore on SQL."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import feed, versions
from au_sys_identity.adapters.db.versions import SqlVersions
from au_sys_identity.core.graph.ports import FeedEntry


class SqlFeed:
    """The table ``feed`` beside ``versions``, whose row of the topic holds other writers off until the commit."""

    def __init__(self, session: AsyncSession, topics: SqlVersions) -> None:
        self._session = session
        self._topics = topics

    async def append(self, topic: str, operation: str, payload: Mapping[str, str | int | bool | None]) -> int:
        """See :class:`~au_sys_identity.core.graph.ports.FeedStore`."""
        version = await self._topics.raise_topic(topic)
        row = {"topic": topic, "version": version, "operation": operation, "payload": json.dumps(dict(payload))}
        await self._session.execute(insert(feed).values(at=datetime.now(UTC), **row))
        return version

    async def hold(self, topic: str) -> int:
        """See :class:`~au_sys_identity.core.graph.ports.FeedStore`."""
        wanted = select(versions.c.version).where(versions.c.topic == topic).with_for_update()
        return (await self._session.execute(wanted)).scalar_one_or_none() or 0

    async def since(self, topic: str, version: int) -> list[FeedEntry] | None:
        """See :class:`~au_sys_identity.core.graph.ports.FeedStore`."""
        now = (await self._session.execute(select(versions.c.version).where(versions.c.topic == topic))).scalar()
        wanted = select(feed).where(feed.c.topic == topic, feed.c.version > version).order_by(feed.c.version)
        rows = (await self._session.execute(wanted)).all()
        found = [FeedEntry(row.topic, row.version, row.operation, json.loads(row.payload)) for row in rows]
        whole = [entry.version for entry in found] == list(range(version + 1, version + 1 + len(found)))
        reached = version + len(found)
        return found if whole and reached >= (now or 0) else None

    async def forget_before(self, moment: datetime) -> int:
        """See :class:`~au_sys_identity.core.graph.ports.FeedStore`."""
        gone = await self._session.execute(delete(feed).where(feed.c.at < moment).returning(feed.c.version))
        return len(gone.all())
