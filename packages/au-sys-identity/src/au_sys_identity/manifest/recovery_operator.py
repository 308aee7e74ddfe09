"""Backup, restore and proof for the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from au_sys_identity.core.recovery.models import Backup
from au_sys_identity.manifest.container import Wiring, wire
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import PlatformSettings, blocking, open_database

OPERATOR = "urn:au:system:operator"
"""Who acts on the command line."""


class Services:
    """Opens what a command needs, on the database alone."""

    def __init__(self, platform: PlatformSettings) -> None:
        self._platform = platform

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Wiring]:
        """The services on a database at its newest schema."""
        database = open_database("identity", self._platform)
        wiring = await blocking(wire, database, self._platform)
        try:
            await database.migrate(MIGRATIONS)
            await blocking(wiring.root.open)
            yield wiring
        finally:
            wiring.hasher.close()
            await wiring.recovery.vault.close()
            await database.close()


class RecoveryOperator(Services):
    """Acts for whoever runs the machine."""

    async def back_up(self, label: str) -> dict[str, object]:
        """Make a backup; what is known of it."""
        async with self.opened() as wiring:
            return _shown(await wiring.recovery.backups.back_up(by=OPERATOR, label=label))

    async def backups(self) -> list[dict[str, object]]:
        """Every backup that the store holds."""
        async with self.opened() as wiring:
            return [_shown(backup) for backup in await wiring.recovery.backups.page()]

    async def restore(self, backup_id: UUID, *, real: bool, accept_weaker: bool) -> dict[str, object]:
        """Restore a backup, or tell what that would do."""
        async with self.opened() as wiring:
            found = await wiring.recovery.restoring.restore(
                backup_id, by=OPERATOR, dry_run=not real, confirm=str(backup_id), accept_weaker=accept_weaker
            )
        tables = {name: dict(counts) for name, counts in found.tables.items()}
        left_out, requires = list(found.not_restored), list(found.requires)
        return {"done": found.done, "tables": tables, "not_restored": left_out, "requires": requires}

    async def prove(self, bundle: Path) -> dict[str, object]:
        """Check the whole audit log, write it out, and say what was found."""
        async with self.opened() as wiring:
            report = (await wiring.log.audit.verify()).report
            lines = [line async for line in wiring.log.audit.export()]
        await blocking(bundle.write_text, "".join(lines), "utf-8")
        findings = [f"{one.kind} at leaf {one.leaf_index}: {one.detail}" for one in report.findings]
        return {"ok": report.ok, "leaves": report.leaves, "findings": findings, "bundle": str(bundle)}


def _shown(backup: Backup) -> dict[str, object]:
    at, counts = backup.at.isoformat(), dict(backup.counts)
    return {"id": str(backup.id), "at": at, "label": backup.label, "size": backup.size, "counts": counts}
