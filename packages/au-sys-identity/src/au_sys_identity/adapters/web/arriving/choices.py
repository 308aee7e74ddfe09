"""What the sign-in page offers beside local accounts."""

from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.directories.sign_in import DirectorySignIn


class WaysIn:
    """Directories and providers that people may choose."""

    def __init__(self, directories: DirectorySignIn, providers: OutsideSignIn) -> None:
        self.directories = directories
        self.providers = providers

    async def shown(self) -> dict[str, object]:
        """For a template."""
        return {
            "directories": await self.directories.choices(),
            "providers": [(provider.name, provider.label) for provider in await self.providers.choices()],
        }
