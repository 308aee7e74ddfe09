"""The services of the command line, on the database alone."""

from au_sys_identity.adapters.cli.commands import commands
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.container import wire
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import PlatformSettings, blocking, open_database


class Operator:
    """Acts for whoever runs the machine."""

    def __init__(self, platform: PlatformSettings) -> None:
        self._platform = platform

    async def create_admin(self, wanted: NewPerson, password: str | None) -> tuple[str, str, str]:
        """Migrate the database, then make the administrator. URN, address and password."""
        database = open_database("identity", self._platform)
        wiring = await blocking(wire, database, self._platform)
        try:
            await database.migrate(MIGRATIONS)
            person, chosen = await wiring.registration.create_admin(wanted, password=password)
        finally:
            wiring.hasher.close()
            await database.close()
        return person.urn, person.email, chosen


def main() -> None:
    """The console script: the command line with the platform's settings from the environment."""
    commands(obj=Operator(PlatformSettings()))
