"""Rows of changed flags: what stands instead of the file's defaults, and what was changed when, by whom, and why."""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.config.feature_flags import FlagValue
from fastapi_services_platform.hub.switches.flag_changes import FlagChanged
from fastapi_services_platform.hub.switches.tables import flag_changes, flag_values, flag_version
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction


@dataclass(frozen=True, slots=True)
class Values:
    """Values in force at a version."""

    version: int
    values: dict[str, FlagValue]


class FlagRows:
    """The changed flags in the hub's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        """How often flags were changed."""
        async with self._database.session() as session:
            return int(await session.scalar(select(flag_version.c.version)) or 0)

    async def values(self) -> Values:
        """Every value that stands instead of the file's. The version is read first, so it is never ahead of them."""
        async with self._database.session() as session:
            version = int(await session.scalar(select(flag_version.c.version)) or 0)
            rows = (await session.execute(select(flag_values))).all()
        return Values(version, {row.name: orjson.loads(row.value) for row in rows})

    async def keep(self, change: FlagChanged, *, shared: bool) -> None:
        """Remember a change; ``shared``: the value itself too, for every node to read."""

        async def work(session: AsyncSession) -> None:
            found = await session.scalar(select(flag_version.c.version).with_for_update())
            version = int(found or 0) + 1
            await session.execute(update(flag_version).values(version=version))
            row = {
                "version": version,
                "name": change.flag,
                "before": orjson.dumps(change.before).decode(),
                "after": orjson.dumps(change.after).decode(),
                "actor": change.actor,
                "reason": change.reason,
                "at": datetime.now(UTC),
            }
            await session.execute(flag_changes.insert().values(**row))
            if shared:
                await session.execute(delete(flag_values).where(flag_values.c.name == change.flag))
                await session.execute(flag_values.insert().values(name=change.flag, value=row["after"]))

        await in_transaction(self._database, work)

    async def history(self, limit: int) -> list[FlagChanged]:
        """Changes, newest first."""
        query = select(flag_changes).order_by(flag_changes.c.version.desc()).limit(limit)
        async with self._database.session() as session:
            rows = (await session.execute(query)).all()
        return [
            FlagChanged(
                flag=row.name,
                before=orjson.loads(row.before),
                after=orjson.loads(row.after),
                actor=row.actor,
                reason=row.reason,
                at=row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC),
            )
            for row in rows
        ]
