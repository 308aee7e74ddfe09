"""Settings, directory entries, outside logins and runs in plain dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.directories.errors import SyncRunning
from au_sys_identity.core.directories.models import KnownEntry, LinkedLogin, SyncRun
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.settings.ports import KeptSetting
from au_sys_identity.core.subjects.models import SubjectId


class MemorySettings:
    """See :class:`~au_sys_identity.core.settings.ports.SettingStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.settings

    async def get(self, name: str) -> KeptSetting | None:
        return self._rows.get(name)

    async def all(self) -> list[KeptSetting]:
        return [self._rows[name] for name in sorted(self._rows)]

    async def put(self, setting: KeptSetting) -> None:
        known = self._rows.get(setting.name)
        if (known.version if known else 0) != setting.version - 1:
            raise Stale
        self._rows[setting.name] = setting


class MemoryDirectoryEntries:
    """See :class:`~au_sys_identity.core.directories.ports.DirectoryEntryStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.directory_entries

    async def find(self, directory: str, external_id: str) -> KnownEntry | None:
        return self._rows.get((directory, external_id))

    async def keep(self, entry: KnownEntry) -> None:
        self._rows[entry.directory, entry.external_id] = entry

    async def of_directory(self, directory: str) -> list[KnownEntry]:
        found = [entry for entry in self._rows.values() if entry.directory == directory]
        return sorted(found, key=lambda entry: entry.external_id)

    async def of_subject(self, subject_id: SubjectId) -> list[KnownEntry]:
        found = [entry for entry in self._rows.values() if entry.subject_id == subject_id]
        return sorted(found, key=lambda entry: entry.directory)


class MemoryLinkedLogins:
    """See :class:`~au_sys_identity.core.directories.ports.LinkedLoginStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.linked_logins

    async def find(self, issuer: str, external_id: str) -> LinkedLogin | None:
        wanted = (issuer, external_id)
        return next((login for login in self._rows.values() if (login.issuer, login.external_id) == wanted), None)

    async def add(self, login: LinkedLogin) -> None:
        if await self.find(login.issuer, login.external_id):
            raise Conflict("login")
        self._rows[login.id] = login

    async def of_subject(self, subject_id: SubjectId) -> list[LinkedLogin]:
        found = [login for login in self._rows.values() if login.subject_id == subject_id]
        return sorted(found, key=lambda login: login.id)

    async def used(self, login_id: UUID, *, at: datetime) -> None:
        if login_id in self._rows:
            self._rows[login_id] = replace(self._rows[login_id], last_used_at=at)

    async def remove(self, login_id: UUID) -> None:
        self._rows.pop(login_id, None)

    async def remove_all(self, subject_id: SubjectId) -> None:
        for login in await self.of_subject(subject_id):
            del self._rows[login.id]


class MemorySyncRuns:
    """See :class:`~au_sys_identity.core.directories.ports.SyncRunStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.sync_runs

    async def begin(self, run: SyncRun) -> None:
        if any(known.source == run.source and known.state == "running" for known in self._rows.values()):
            raise SyncRunning(run.source)
        self._rows[run.id] = run

    async def save(self, run: SyncRun) -> None:
        self._rows[run.id] = run

    async def beat(self, run_id: UUID, *, at: datetime) -> None:
        self._rows[run_id] = replace(self._rows[run_id], heartbeat_at=at)

    async def abandon_silent(self, source: str, *, before: datetime) -> None:
        for known in list(self._rows.values()):
            if known.source == source and known.state == "running" and known.heartbeat_at < before:
                self._rows[known.id] = replace(known, state="failed")

    async def get(self, run_id: UUID) -> SyncRun | None:
        return self._rows.get(run_id)

    async def newest(self, source: str | None, limit: int) -> list[SyncRun]:
        found = [run for run in self._rows.values() if source in (None, run.source)]
        return sorted(found, key=lambda run: run.id, reverse=True)[:limit]
