"""Settings, directory entries, outside logins and runs on SQL."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import directory_entries, linked_logins, settings, sync_runs
from au_sys_identity.core.directories.errors import SyncRunning
from au_sys_identity.core.directories.models import KnownEntry, LinkedLogin, SyncRun
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.settings.ports import KeptSetting
from au_sys_identity.core.subjects.models import SubjectId

_DN = 1000


class SqlSettings:
    """The table ``settings``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, name: str) -> KeptSetting | None:
        """See :class:`~au_sys_identity.core.settings.ports.SettingStore`."""
        row = (await self._session.execute(select(settings).where(settings.c.name == name))).first()
        return KeptSetting(row.name, row.value_enc, row.version, row.updated_at) if row else None

    async def all(self) -> list[KeptSetting]:
        """See :class:`~au_sys_identity.core.settings.ports.SettingStore`."""
        rows = await self._session.execute(select(settings).order_by(settings.c.name))
        return [KeptSetting(row.name, row.value_enc, row.version, row.updated_at) for row in rows]

    async def put(self, setting: KeptSetting) -> None:
        """See :class:`~au_sys_identity.core.settings.ports.SettingStore`."""
        values = {"value_enc": setting.sealed, "version": setting.version, "updated_at": setting.updated_at}
        if setting.version == 1:
            try:
                async with self._session.begin_nested():
                    await self._session.execute(insert(settings).values(name=setting.name, **values))
            except IntegrityError:
                raise Stale from None
            return
        before = (settings.c.name == setting.name) & (settings.c.version == setting.version - 1)
        changed = await self._session.execute(
            update(settings).where(before).values(**values).returning(settings.c.name)
        )
        if changed.first() is None:
            raise Stale


class SqlDirectoryEntries:
    """The table ``directory_entries``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, directory: str, external_id: str) -> KnownEntry | None:
        """See :class:`~au_sys_identity.core.directories.ports.DirectoryEntryStore`."""
        table = directory_entries
        wanted = select(table).where(table.c.directory == directory, table.c.external_id == external_id)
        row = (await self._session.execute(wanted)).first()
        return _entry(row) if row else None

    async def keep(self, entry: KnownEntry) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.DirectoryEntryStore`."""
        table = directory_entries
        ids = (table.c.directory == entry.directory) & (table.c.external_id == entry.external_id)
        values = {
            "subject_id": entry.subject_id,
            "dn": entry.dn[:_DN],
            "fingerprint": entry.fingerprint,
            "seen_at": entry.seen_at,
        }
        changed = await self._session.execute(update(table).where(ids).values(**values).returning(table.c.directory))
        if changed.first() is None:
            added = insert(table).values(directory=entry.directory, external_id=entry.external_id, **values)
            await self._session.execute(added)

    async def of_directory(self, directory: str) -> list[KnownEntry]:
        """See :class:`~au_sys_identity.core.directories.ports.DirectoryEntryStore`."""
        wanted = select(directory_entries).where(directory_entries.c.directory == directory)
        rows = await self._session.execute(wanted.order_by(directory_entries.c.external_id))
        return [_entry(row) for row in rows]

    async def of_subject(self, subject_id: SubjectId) -> list[KnownEntry]:
        """See :class:`~au_sys_identity.core.directories.ports.DirectoryEntryStore`."""
        wanted = select(directory_entries).where(directory_entries.c.subject_id == subject_id)
        return [_entry(row) for row in await self._session.execute(wanted.order_by(directory_entries.c.directory))]


class SqlLinkedLogins:
    """The table ``linked_logins``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, issuer: str, external_id: str) -> LinkedLogin | None:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        table = linked_logins
        wanted = select(table).where(table.c.issuer == issuer, table.c.external_id == external_id)
        row = (await self._session.execute(wanted)).first()
        return _login(row) if row else None

    async def add(self, login: LinkedLogin) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(linked_logins).values(
                        id=login.id,
                        subject_id=login.subject_id,
                        provider=login.provider,
                        issuer=login.issuer,
                        external_id=login.external_id,
                        created_at=login.created_at,
                        last_used_at=login.last_used_at,
                    )
                )
        except IntegrityError:
            raise Conflict("login") from None

    async def of_subject(self, subject_id: SubjectId) -> list[LinkedLogin]:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        wanted = select(linked_logins).where(linked_logins.c.subject_id == subject_id)
        return [_login(row) for row in await self._session.execute(wanted.order_by(linked_logins.c.id))]

    async def used(self, login_id: UUID, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        changed = update(linked_logins).where(linked_logins.c.id == login_id).values(last_used_at=at)
        await self._session.execute(changed)

    async def remove(self, login_id: UUID) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        await self._session.execute(delete(linked_logins).where(linked_logins.c.id == login_id))

    async def remove_all(self, subject_id: SubjectId) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""
        await self._session.execute(delete(linked_logins).where(linked_logins.c.subject_id == subject_id))


class SqlSyncRuns:
    """The table ``sync_runs``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def begin(self, run: SyncRun) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(sync_runs).values(
                        id=run.id,
                        source=run.source,
                        state=run.state,
                        dry_run=run.dry_run,
                        started_at=run.started_at,
                        heartbeat_at=run.heartbeat_at,
                        started_by=run.started_by,
                        report=json.dumps(run.report),
                    )
                )
        except IntegrityError:
            raise SyncRunning(run.source) from None

    async def save(self, run: SyncRun) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        values = {"state": run.state, "heartbeat_at": run.heartbeat_at, "report": json.dumps(run.report)}
        await self._session.execute(update(sync_runs).where(sync_runs.c.id == run.id).values(**values))

    async def beat(self, run_id: UUID, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        await self._session.execute(update(sync_runs).where(sync_runs.c.id == run_id).values(heartbeat_at=at))

    async def abandon_silent(self, source: str, *, before: datetime) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        silent = (sync_runs.c.source == source) & (sync_runs.c.state == "running") & (sync_runs.c.heartbeat_at < before)
        await self._session.execute(update(sync_runs).where(silent).values(state="failed"))

    async def get(self, run_id: UUID) -> SyncRun | None:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        row = (await self._session.execute(select(sync_runs).where(sync_runs.c.id == run_id))).first()
        return _run(row) if row else None

    async def newest(self, source: str | None, limit: int) -> list[SyncRun]:
        """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""
        wanted = select(sync_runs).order_by(sync_runs.c.id.desc()).limit(limit)
        if source is not None:
            wanted = wanted.where(sync_runs.c.source == source)
        return [_run(row) for row in await self._session.execute(wanted)]


def _entry(row: Row[tuple[object, ...]]) -> KnownEntry:
    return KnownEntry(row.directory, row.external_id, row.subject_id, row.dn, row.fingerprint, row.seen_at)


def _login(row: Row[tuple[object, ...]]) -> LinkedLogin:
    return LinkedLogin(
        row.id, row.subject_id, row.provider, row.issuer, row.external_id, row.created_at, row.last_used_at
    )


def _run(row: Row[tuple[object, ...]]) -> SyncRun:
    return SyncRun(
        row.id,
        row.source,
        row.state,
        row.dry_run,
        row.started_at,
        row.heartbeat_at,
        row.started_by,
        json.loads(row.report),
    )
