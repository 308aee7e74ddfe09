"""The services of the command line, on the database alone."""

from collections.abc import Sequence
from pathlib import Path

from au_sys_identity.adapters.cli import people, policies, recovery
from au_sys_identity.adapters.cli.commands import commands
from au_sys_identity.adapters.crypto.breach_list import build_from_hashes
from au_sys_identity.adapters.db.evidence.rewrapping import Rewrapping
from au_sys_identity.core.accounts.adoption import Adoption, Newcomer
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.parts.ground import root_key, utc_now
from au_sys_identity.manifest.plugin import MIGRATIONS
from au_sys_identity.manifest.policy_operator import PolicyOperator
from au_sys_identity.manifest.recovery_operator import OPERATOR, RecoveryOperator
from fastapi_services_platform import PlatformSettings, blocking, open_database

ADDED = (people, policies, recovery)
"""Modules that add commands of their own to the command line."""


class Operator(PolicyOperator, RecoveryOperator):
    """Acts for whoever runs the machine."""

    async def create_admin(self, wanted: NewPerson, password: str | None) -> tuple[str, str, str]:
        """Migrate the database, then make the administrator. URN, address and password."""
        async with self.opened() as wiring:
            person, chosen = await wiring.registration.create_admin(wanted, password=password)
        return person.urn, person.email, chosen

    async def import_people(self, newcomers: Sequence[Newcomer], *, real: bool) -> dict[str, object]:
        """Take people over; what it came to, or would."""
        async with self.opened() as wiring:
            adoption = Adoption(wiring.transactions, wiring.hasher, utc_now)
            done = await adoption.adopt(newcomers, by=OPERATOR, dry_run=not real)
        refused = [{"line": line, "reason": reason} for line, reason in done.refused]
        return {"added": done.added, "known": done.known, "dry_run": done.dry_run, "refused": refused}

    async def rekey(self) -> dict[str, int]:
        """Seal everything with the present root key."""
        database = open_database("identity", self._platform)
        try:
            root = root_key(IdentitySettings(), self._platform)
            await blocking(root.open)
            await database.migrate(MIGRATIONS)
            return await Rewrapping(database, root).run()
        finally:
            await database.close()

    async def rotate_signing_key(self) -> str:
        """Sign with a new key from now on; the id of it."""
        async with self.opened() as wiring:
            await wiring.keys.rotate(now_active=True)
            return (await wiring.keys.active())[0].kid

    def build_breach_list(self, source: Path, target: Path) -> int:
        """Make a breach list from lines of SHA-1 hashes; how many it holds."""
        return build_from_hashes(source, target)


def main() -> None:
    """The console script: the command line with the platform's settings from the environment."""
    commands(obj=Operator(PlatformSettings()))


if __name__ == "__main__":
    main()
