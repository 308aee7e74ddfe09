"""StewardshipStore on SQL."""

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.tables import stewardship_records
from skriptoteket.core.governance.stewardship.models import StewardshipAction, StewardshipRecord
from skriptoteket.core.identifiers import ToolId


class SqlStewardshipStore:
    """Change records."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, record: StewardshipRecord) -> None:
        """Append."""
        row = {name: getattr(record, name) for name in ("id", "tool_id", "action", "subject", "reason")}
        named = {**row, "decided_by": record.by, "decided_at": record.at}
        await self._session.execute(insert(stewardship_records).values(named))

    async def of_tool(self, tool_id: ToolId) -> Sequence[StewardshipRecord]:
        """Oldest first."""
        query = select(stewardship_records).where(stewardship_records.c.tool_id == tool_id)
        rows = (await self._session.execute(query.order_by(stewardship_records.c.id))).mappings()
        return [
            StewardshipRecord(
                row["id"],
                ToolId(row["tool_id"]),
                StewardshipAction(row["action"]),
                row["subject"],
                row["decided_by"],
                row["decided_at"],
                row["reason"],
            )
            for row in rows
        ]
