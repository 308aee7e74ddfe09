"""NominationStore on SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import Row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import nomination_decisions, nominations
from skriptoteket.core.errors import NotFound
from skriptoteket.core.governance.nominations.models import (
    GrantState,
    Nomination,
    NominationDecision,
    NominationKind,
    NominationStatus,
)


class SqlNominationStore:
    """Nominations; a partial unique index lets one of a nominee be pending."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, nomination: Nomination) -> bool:
        """Insert, unless another one of this nominee is pending."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(nominations).values(asdict(nomination)))
        except IntegrityError:
            return False
        return True

    async def lock(self, nomination_id: UUID) -> Nomination:
        """With the row locked. Raises ``NotFound``."""
        query = select(nominations).where(nominations.c.id == nomination_id).with_for_update()
        row = (await self._session.execute(query)).mappings().first()
        if row is None:
            raise NotFound("nomination", nomination_id)
        return _nomination_of(row)

    async def update(self, nomination: Nomination) -> None:
        """Raises ``NotFound``."""
        statement = update(nominations).where(nominations.c.id == nomination.id).values(asdict(nomination))
        if await rows_changed(self._session, statement) == 0:
            raise NotFound("nomination", nomination.id)

    async def all(self) -> Sequence[tuple[Nomination, NominationDecision | None]]:
        """Newest first."""
        rows = await self._session.execute(select(nominations).order_by(nominations.c.id.desc()))
        decided = await self._session.execute(select(nomination_decisions))
        decisions = {row["nomination_id"]: _decision_of(row) for row in decided.mappings()}
        return [(_nomination_of(row), decisions.get(row["id"])) for row in rows.mappings()]

    async def add_decision(self, decision: NominationDecision) -> None:
        """Append."""
        await self._session.execute(insert(nomination_decisions).values(_decision_row(decision)))

    async def update_decision(self, decision: NominationDecision) -> None:
        """The state of the grant. Raises ``NotFound``."""
        place = nomination_decisions.c.nomination_id == decision.nomination_id
        row = {"grant_state": decision.grant_state, "tries": decision.tries, "problem": decision.problem}
        if await rows_changed(self._session, update(nomination_decisions).where(place).values(row)) == 0:
            raise NotFound("decision", decision.nomination_id)

    async def ungranted(self) -> Sequence[tuple[Nomination, NominationDecision]]:
        """Oldest first."""
        found = [(one, decision) for one, decision in await self.all() if decision is not None]
        return [pair for pair in reversed(found) if pair[1].grant_state is GrantState.PENDING]

    async def expire(self, before: datetime) -> int:
        """Pending ones that were filed earlier."""
        of = nominations.c
        old = update(nominations).where(of.status == NominationStatus.PENDING, of.created_at < before)
        return await rows_changed(self._session, old.values(status=NominationStatus.EXPIRED))


def _nomination_of(row: Row) -> Nomination:
    return Nomination(
        row["id"],
        NominationKind(row["kind"]),
        row["nominee"],
        row["nominator"],
        row["rationale"],
        NominationStatus(row["status"]),
        row["created_at"],
    )


def _decision_row(decision: NominationDecision) -> dict[str, object]:
    row = asdict(decision)
    renamed = {"decided_by": row.pop("by"), "decided_at": row.pop("at")}
    return {**row, **renamed}


def _decision_of(row: Row) -> NominationDecision:
    return NominationDecision(
        row["nomination_id"],
        NominationStatus(row["verdict"]),
        row["rationale"],
        row["decided_by"],
        row["decided_at"],
        GrantState(row["grant_state"]),
        row["tries"],
        row["problem"],
    )
