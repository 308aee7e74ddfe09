"""EnvironmentStore on SQL."""

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.tables import environment_decisions
from skriptoteket.core.governance.environments.models import EnvironmentDecision, EnvironmentVerdict


class SqlEnvironmentStore:
    """Decisions about environments."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, decision: EnvironmentDecision) -> None:
        """Append."""
        row = {name: getattr(decision, name) for name in ("id", "name", "digest", "rationale")}
        row |= {"verdict": decision.verdict.value, "decided_by": decision.by, "decided_at": decision.at}
        await self._session.execute(insert(environment_decisions).values(row))

    async def decisions(self) -> Sequence[EnvironmentDecision]:
        """Oldest first; ids sort by time."""
        rows = await self._session.execute(select(environment_decisions).order_by(environment_decisions.c.id))
        return [
            EnvironmentDecision(
                row["id"],
                row["name"],
                row["digest"],
                EnvironmentVerdict(row["verdict"]),
                row["rationale"],
                row["decided_by"],
                row["decided_at"],
            )
            for row in rows.mappings()
        ]
