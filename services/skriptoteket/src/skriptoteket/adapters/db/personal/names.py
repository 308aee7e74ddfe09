"""NameStore on SQL: every column that names a subject."""

from sqlalchemy import Column, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db import tables as t
from skriptoteket.adapters.db.statements import rows_changed

NAMING: tuple[Column[str], ...] = (
    t.runs.c.requested_by,
    t.run_accesses.c.opened_by,
    t.tools.c.owner,
    t.maintainers.c.subject,
    t.tool_versions.c.created_by,
    t.tool_versions.c.submitted_by,
    t.tool_versions.c.reviewed_by,
    t.tool_versions.c.published_by,
    t.version_decisions.c.decided_by,
    t.sandbox_snapshots.c.author,
    t.suggestions.c.suggested_by,
    t.suggestion_decisions.c.decided_by,
    t.stewardship_records.c.subject,
    t.stewardship_records.c.decided_by,
    t.nominations.c.nominee,
    t.nominations.c.nominator,
    t.nomination_decisions.c.decided_by,
    t.environment_decisions.c.decided_by,
)
"""What outlives a person. Settings, favourites, sessions and schedules are removed before."""


class SqlNameStore:
    """Replaces a name everywhere."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def replace(self, subject: str, pseudonym: str) -> int:
        """Put the pseudonym wherever the subject is named; how many rows."""
        changed = 0
        for column in NAMING:
            statement = update(column.table).where(column == subject).values({column: pseudonym})
            changed += await rows_changed(self._session, statement)
        of = t.draft_locks.c
        changed += await rows_changed(self._session, delete(t.draft_locks).where(of.holder == subject))
        forced = update(t.draft_locks).where(of.forced_by == subject).values({of.forced_by: pseudonym})
        changed += await rows_changed(self._session, forced)
        streams = t.stream_leases
        changed += await rows_changed(self._session, delete(streams).where(streams.c.subject == subject))
        keys = t.idempotency_keys
        return changed + await rows_changed(
            self._session, delete(keys).where(keys.c.scope.startswith(f"{subject}\n", autoescape=True))
        )
