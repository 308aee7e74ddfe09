"""Bring a backup in: whole or not at all, without what was revoked since."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.errors import BackupIncompatible, InvalidInput, LastAdmin
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import MAINTENANCE
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.recovery.backups import Backups
from au_sys_identity.core.recovery.ledger import Ledger, Since
from au_sys_identity.core.recovery.models import Header, Restoration
from au_sys_identity.core.recovery.ports import Clock, RecoveryTransactions, RecoveryUnit, Row
from au_sys_identity.core.settings.errors import WeakerSetting

_BATCH = 500
_NEVER = (
    "sessions and tokens: everybody signs in again",
    "guess counters, one-time links and unsent mail",
    "changes that could be taken back",
)


class SettingsGuard(Protocol):
    """Compares settings before and after."""

    async def values_in(self, unit: UnitOfWork) -> Mapping[str, object]: ...

    def weaker(self, before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]: ...


class _DryRun(Exception):
    """Takes the preview out of the transaction that is rolled back."""

    def __init__(self, found: Restoration) -> None:
        self.found = found
        super().__init__()


class Restoring:
    """One archive in place of the present."""

    def __init__(
        self,
        transactions: RecoveryTransactions,
        backups: Backups,
        ledger: Ledger,
        settings: SettingsGuard,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._backups = backups
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._left_on: int | None = None

    async def restore(
        self, backup_id: UUID, *, by: str, dry_run: bool = True, confirm: str | None = None, accept_weaker: bool = False
    ) -> Restoration:
        """Restore, or tell what a restore would do.

        Raises:
            NotFound: there is no such backup.
            InvalidInput: ``confirm`` is not the backup's id.
            BackupCorrupt: it cannot be read whole; nothing was changed.
            BackupIncompatible: a newer version wrote it.
            WeakerSetting: settings would lower the guard, and that was not accepted.
            LastAdmin: nobody would be left who may do everything.
        """
        if not dry_run and confirm != str(backup_id):
            raise InvalidInput("confirm", "is not the id of the backup", f"Send {backup_id}.")
        header = (await self._backups.check(backup_id)).header
        async with self._transactions.reading() as unit:
            ours, fresh = await unit.archives.schema(), await unit.archives.audit_is_empty()
        if header.schema > ours:
            raise BackupIncompatible(header.schema, ours)
        if dry_run:
            return await self._tried(header, by, accept_weaker=accept_weaker)
        safety = None
        if not fresh:
            safety = (await self._backups.back_up(by=by, label=f"before restoring {backup_id}")).id
        await self._maintain(on=True)
        try:
            async with self._transactions.writing() as unit:
                found = await self._apply(unit, header, by, accept_weaker=accept_weaker)
                await _mark(unit, on=False)
        except BaseException:
            await self._maintain(on=False)
            raise
        self._transactions.forget_keys()
        return Restoration(found.tables, found.not_restored, found.requires, done=True, safety_backup=safety)

    async def end_maintenance(self) -> None:
        """A process that was killed in the middle of a restore left the others waiting; the old state stands.

        While another process restores, this waits for it.
        """
        async with self._transactions.reading() as unit:
            on = (await unit.versions.read()).get(MAINTENANCE, 0) % 2 == 1
        if on:
            await self._maintain(on=False)

    async def watch_maintenance(self) -> None:
        """As a job: end what was seen before and is still there. Who restores holds the row by then, or is dead."""
        async with self._transactions.reading() as unit:
            version = (await unit.versions.read()).get(MAINTENANCE, 0)
        if version % 2 == 1 and version == self._left_on:
            await self._maintain(on=False)
        self._left_on = version

    async def _tried(self, header: Header, by: str, *, accept_weaker: bool) -> Restoration:
        try:
            async with self._transactions.writing() as unit:
                raise _DryRun(await self._apply(unit, header, by, accept_weaker=accept_weaker, dry_run=True))
        except _DryRun as tried:
            return tried.found

    async def _apply(
        self, unit: RecoveryUnit, header: Header, by: str, *, accept_weaker: bool, dry_run: bool = False
    ) -> Restoration:
        now = self._clock()
        unit.unwatched()
        await unit.archives.lock()
        since = await self._ledger.since(header.ledger)
        before, before_values = await unit.archives.hashes(), await self._settings.values_in(unit)
        first_log = await unit.archives.audit_is_empty()
        keys = await self._keys(unit)
        await unit.archives.keep_keys(keys, now)
        await unit.archives.clear()
        erased = await self._load(unit, header.id, keys, audit=first_log)
        await unit.archives.replay(since.entries, now)
        if not since.whole:
            await unit.archives.mistrust(now)
        if not await unit.archives.has_admin(credential=since.whole):
            raise LastAdmin
        weaker = self._settings.weaker(before_values, await self._settings.values_in(unit))
        if weaker and not accept_weaker and not dry_run:
            raise WeakerSetting(weaker)
        after = await unit.archives.hashes()
        await unit.archives.end_trust()
        details = {"backup": str(header.id), "ledger_entries": len(since.entries), "ledger_whole": since.whole}
        unit.record(Fact("backup.restored", by, f"urn:au:backup:{header.id}", details=details))
        requires = ["step-up", f"confirm={header.id}"]
        if weaker and not accept_weaker:
            requires.append(f"accept_weaker=true ({', '.join(weaker)})")
        return Restoration(_difference(before, after), _left_out(since, erased), tuple(requires))

    async def _keys(self, unit: RecoveryUnit) -> dict[UUID, bytes]:
        """Keys of the present, and those beside the archives that were not destroyed since."""
        destroyed = await unit.archives.destroyed()
        kept = await self._backups.kept_keys()
        return {
            **{owner: key for owner, key in kept.items() if owner not in destroyed},
            **await unit.archives.all_keys(),
        }

    async def _load(self, unit: RecoveryUnit, backup_id: UUID, keys: Mapping[UUID, bytes], *, audit: bool) -> int:
        waiting: list[Row] = []
        present, erased = "", 0
        async for name, row in self._backups.rows(backup_id):
            if name.startswith("audit_") and not audit:
                continue
            if name != present or len(waiting) >= _BATCH:
                erased += await unit.archives.load(present, waiting, keys) if waiting else 0
                present, waiting = name, []
            waiting.append(row)
        return erased + (await unit.archives.load(present, waiting, keys) if waiting else 0)

    async def _maintain(self, *, on: bool) -> None:
        async with self._transactions.writing() as unit:
            await _mark(unit, on=on)


async def _mark(unit: RecoveryUnit, *, on: bool) -> None:
    """Odd is on. The row is held first: of two that end it one finds it ended."""
    if (await unit.feed.hold(MAINTENANCE) % 2 == 1) != on:
        await unit.versions.raise_topic(MAINTENANCE)


def _difference(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    found = {}
    for name in after:
        old, new = before.get(name, {}), after[name]
        counts = {
            "added": len(new.keys() - old.keys()),
            "removed": len(old.keys() - new.keys()),
            "changed": sum(1 for key in old.keys() & new.keys() if old[key] != new[key]),
        }
        if any(counts.values()):
            found[name] = counts
    return found


def _left_out(since: Since, erased: int) -> tuple[str, ...]:
    told: Sequence[str] = _NEVER
    if since.entries:
        told = (*told, f"{len(since.entries)} credentials and accounts that were revoked, changed or closed since")
    if erased:
        told = (*told, f"{erased} rows of people who were erased")
    if not since.whole:
        told = (*told, "machine keys and passwords: the revocation ledger is missing or broken, so none is trusted")
    return tuple(told)
