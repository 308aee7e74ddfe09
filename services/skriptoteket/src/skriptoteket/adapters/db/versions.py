"""VersionStore, DraftLockStore and SnapshotStore on SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import decision_of, decision_row, lock_of, snapshot_of, version_of, version_row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import (
    BEHAVIOUR_COLUMNS,
    draft_locks,
    sandbox_snapshots,
    tool_versions,
    version_decisions,
)
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.versions.models import DraftLock, ToolVersion, VersionDecision, VersionState
from skriptoteket.core.versions.snapshots import SandboxSnapshot


class SqlVersionStore:
    """Versions and the verdicts on them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, version: ToolVersion) -> None:
        """Insert. Raises ``Conflict`` (version_race)."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(tool_versions).values(version_row(version)))
        except IntegrityError:
            raise version_race(version) from None

    async def get(self, version_id: VersionId) -> ToolVersion:
        """Raises ``NotFound``."""
        found = await self._session.execute(select(tool_versions).where(tool_versions.c.id == version_id))
        row = found.mappings().first()
        if row is None:
            raise NotFound("version", version_id)
        return version_of(row)

    async def update(self, version: ToolVersion) -> None:
        """Write state, audit and note fields. Raises ``NotFound`` and ``Conflict`` (version_race)."""
        row = {name: value for name, value in version_row(version).items() if name not in (*BEHAVIOUR_COLUMNS, "id")}
        try:
            async with self._session.begin_nested():
                changed = await rows_changed(
                    self._session, update(tool_versions).where(tool_versions.c.id == version.id).values(row)
                )
        except IntegrityError:
            raise version_race(version) from None
        if changed == 0:
            raise NotFound("version", version.id)

    async def of_tool(self, tool_id: ToolId) -> Sequence[ToolVersion]:
        """Newest number first."""
        query = select(tool_versions).where(tool_versions.c.tool_id == tool_id)
        rows = await self._session.execute(query.order_by(tool_versions.c.version_number.desc()))
        return [version_of(row) for row in rows.mappings()]

    async def in_state(self, state: VersionState) -> Sequence[ToolVersion]:
        """Oldest submission first."""
        query = select(tool_versions).where(tool_versions.c.state == state)
        rows = await self._session.execute(query.order_by(tool_versions.c.submitted_at, tool_versions.c.id))
        return [version_of(row) for row in rows.mappings()]

    async def highest_number(self, tool_id: ToolId) -> int:
        """The highest number given so far, 0 before the first."""
        query = select(func.max(tool_versions.c.version_number)).where(tool_versions.c.tool_id == tool_id)
        return (await self._session.execute(query)).scalar() or 0

    async def add_decision(self, decision: VersionDecision) -> None:
        """Append a verdict."""
        await self._session.execute(insert(version_decisions).values(decision_row(decision)))

    async def decisions(self, tool_id: ToolId) -> Sequence[VersionDecision]:
        """Oldest first."""
        query = select(version_decisions).where(version_decisions.c.tool_id == tool_id)
        rows = await self._session.execute(query.order_by(version_decisions.c.id))
        return [decision_of(row) for row in rows.mappings()]


def version_race(version: ToolVersion) -> Conflict:
    """The refusal of a write that lost against another one."""
    message = "Somebody else changed this tool's versions at the same moment. Load the page and try again."
    return Conflict("version_race", message, {"version_number": version.version_number})


class SqlDraftLockStore:
    """One lock per tool."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, tool_id: ToolId) -> DraftLock | None:
        """The lock, live or over."""
        row = (
            (await self._session.execute(select(draft_locks).where(draft_locks.c.tool_id == tool_id)))
            .mappings()
            .first()
        )
        return lock_of(row) if row is not None else None

    async def put(self, lock: DraftLock) -> None:
        """Insert or replace."""
        row = {name: getattr(lock, name) for name in DraftLock.__dataclass_fields__}
        changed = await rows_changed(
            self._session, update(draft_locks).where(draft_locks.c.tool_id == lock.tool_id).values(row)
        )
        if changed == 0:
            await self._session.execute(insert(draft_locks).values(row))

    async def release(self, tool_id: ToolId) -> None:
        """Idempotent."""
        await self._session.execute(delete(draft_locks).where(draft_locks.c.tool_id == tool_id))


class SqlSnapshotStore:
    """What authors tried out."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, snapshot: SandboxSnapshot) -> None:
        """Insert."""
        await self._session.execute(insert(sandbox_snapshots).values(version_row(snapshot)))

    async def get(self, snapshot_id: UUID) -> SandboxSnapshot:
        """Raises ``NotFound``."""
        found = await self._session.execute(select(sandbox_snapshots).where(sandbox_snapshots.c.id == snapshot_id))
        row = found.mappings().first()
        if row is None:
            raise NotFound("snapshot", snapshot_id)
        return snapshot_of(row)

    async def equal(self, tool_id: ToolId, author: str, behaviour_hash: str, now: datetime) -> SandboxSnapshot | None:
        """A live one of this author with the same behaviour."""
        of = sandbox_snapshots.c
        query = select(sandbox_snapshots).where(
            of.tool_id == tool_id, of.author == author, of.behaviour_hash == behaviour_hash, of.expires_at > now
        )
        row = (await self._session.execute(query.limit(1))).mappings().first()
        return snapshot_of(row) if row is not None else None

    async def prolong(self, snapshot_id: UUID, until: datetime) -> None:
        """Keep it longer. Raises ``NotFound``."""
        statement = update(sandbox_snapshots).where(sandbox_snapshots.c.id == snapshot_id).values(expires_at=until)
        if await rows_changed(self._session, statement) == 0:
            raise NotFound("snapshot", snapshot_id)

    async def forget_expired(self, now: datetime) -> int:
        """Those whose time is over."""
        return await rows_changed(self._session, delete(sandbox_snapshots).where(sandbox_snapshots.c.expires_at < now))
