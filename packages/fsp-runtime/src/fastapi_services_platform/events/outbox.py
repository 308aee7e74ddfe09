"""Publish a fact inside the transaction that makes it true."""

import re
from typing import TYPE_CHECKING
from zlib import crc32

import orjson

from fastapi_services_platform.capability.events import Event
from fastapi_services_platform.errors import InvalidEvent
from fastapi_services_platform.observability.logger_factory import current_fields
from fastapi_services_platform.persistence.databases import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_LONGEST_NAME, _LONGEST_KEY, _LONGEST_DATA = 120, 400, 64 * 1024


class Outbox:
    """The facts of one capability. Its migrations say ``outbox=True``; then its database has the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._order = crc32(f"fsp-events:{database.name}".encode())

    async def publish(self, session: "AsyncSession", event: Event) -> None:
        """Write an event with the caller's transaction: it is delivered when that commits, and lost when it does not.

        Publish last: from here to its commit the transaction holds the place in the order, and others that publish
        wait.

        Raises:
            InvalidEvent: name, key or data cannot be published.
        """
        from sqlalchemy import text

        from fastapi_services_platform.events.tables import tables_of

        data = _checked(event)
        if self._database.dialect == "postgresql":  # SQLite has one writer, so its order is that of the commits
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._order})
        row = {
            "id": event.id,
            "name": event.name,
            "key": event.key,
            "data": data,
            "at": await moment(session, self._database),
            "correlation_id": str(current_fields().get("correlation_id", ""))[:64],
        }
        await session.execute(tables_of(self._database.name).events.insert().values(**row))
        self._announce(session)

    def _announce(self, session: "AsyncSession") -> None:
        """Wake the deliverers of this process at the commit; those of other nodes look by themselves."""
        from sqlalchemy import event as sqlalchemy_event

        def committed(_session: object) -> None:
            self._database.tell_watchers()

        sqlalchemy_event.listen(session.sync_session, "after_commit", committed, once=True)


async def moment(session: "AsyncSession", database: Database) -> float:
    """Now, in seconds since 1970, by the clock that all nodes of the database share."""
    from sqlalchemy import text

    if database.dialect == "sqlite":
        statement = "SELECT (julianday('now') - 2440587.5) * 86400.0"
    else:
        statement = "SELECT extract(epoch FROM clock_timestamp())"
    return float((await session.execute(text(statement))).scalar_one())


def _checked(event: Event) -> str:
    if _NAME.fullmatch(event.name) is None or len(event.name) > _LONGEST_NAME:
        raise InvalidEvent(event.name, "the name is not <noun>.<verb in the past>", "write it like subject.disabled.")
    if not 0 < len(event.key) <= _LONGEST_KEY:
        raise InvalidEvent(event.name, f"the key is empty or beyond {_LONGEST_KEY} characters", "use the thing's URN.")
    try:
        data = orjson.dumps(dict(event.data), option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise InvalidEvent(event.name, f"the data is no JSON: {error}", "give text, numbers, lists and maps.") from None
    if len(data) > _LONGEST_DATA:
        raise InvalidEvent(event.name, f"the data is beyond {_LONGEST_DATA} bytes", "tell where it is found instead.")
    return data.decode()
