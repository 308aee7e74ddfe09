"""Build backups, restore, undo and erasure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from au_sys_identity.adapters.crypto.archive_cipher import BackupCipher
from au_sys_identity.adapters.crypto.sealing import RootKey, parsed_key
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.storage.backups import BlobVault
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.recovery.backups import Backups
from au_sys_identity.core.recovery.erasing import Erasing
from au_sys_identity.core.recovery.ledger import Ledger
from au_sys_identity.core.recovery.restoring import Restoring
from au_sys_identity.core.recovery.undoing import Undoing
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import PlatformSettings


@dataclass(frozen=True, slots=True)
class Recovery:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types
    backups: Backups
    restoring: Restoring
    undoing: Undoing
    ledger: Ledger
    vault: BlobVault
    transactions: SqlTransactions
    current: Callable[[], IdentitySettings]

    def follow(self, settings: IdentitySettings) -> None:
        """Become what the settings say now."""
        self.transactions.keep_changes = settings.changes_enabled

    async def write_ledger(self) -> None:
        """Take revocations out of the database."""
        await self.ledger.run(self.backups.replace_keys)

    async def run(self) -> None:
        """Back up when it is due, and forget old changes."""
        settings = self.current()
        await self.undoing.forget(days=settings.change_days, most=settings.change_max)
        if settings.backups_enabled:
            await self.backups.run_due(every=settings.backup_every, keep=settings.backup_keep)


@dataclass(frozen=True, slots=True)
class Ground:
    """What recovery is built on."""

    settings: IdentitySettings
    platform: PlatformSettings
    transactions: SqlTransactions
    root: RootKey
    sequencing: Sequencing
    granting: Granting
    decisions: Decisions
    runtime: RuntimeSettings
    clock: Clock


def recovering(ground: Ground, current: Callable[[], IdentitySettings]) -> Recovery:
    """Build it. Nothing is opened before the first backup."""
    settings, transactions, clock = ground.settings, ground.transactions, ground.clock
    given = settings.backup_key
    key = partial(parsed_key, given.get_secret_value()) if given else partial(ground.root.keyed_hash, "backup")
    vault, cipher = BlobVault(partial(_store, settings, ground.platform)), BackupCipher(key)
    ledger = Ledger(transactions, vault, cipher, clock)
    backups = Backups(transactions, ground.sequencing, ledger, vault, cipher, clock)
    restoring = Restoring(transactions, backups, ledger, ground.runtime, clock)
    undoing = Undoing(transactions, ground.granting, ground.decisions, ground.runtime, clock)
    erasing = Erasing(transactions, partial(ledger.run, backups.replace_keys), clock)
    services: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        Backups: backups,
        Restoring: restoring,
        Undoing: undoing,
        Erasing: erasing,
    }
    return Recovery(services, backups, restoring, undoing, ledger, vault, transactions, current)


def _store(settings: IdentitySettings, platform: PlatformSettings) -> Blobs:
    return open_blobs(settings.backup_store or f"file://{Path(platform.data_dir).absolute()}/backups")
