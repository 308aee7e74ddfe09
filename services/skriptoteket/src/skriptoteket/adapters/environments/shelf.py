"""The environments of this host, as the web process and the worker see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi_services_platform import blocking
from skriptoteket.adapters.environments.folders import built_environments
from skriptoteket.core.governance.environments.models import BuiltEnvironment


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """The folder and the names that the settings speak of."""

    folder: Path | None
    names: tuple[str, ...]

    async def built(self) -> Sequence[BuiltEnvironment]:
        """What is there now."""
        return await blocking(built_environments, self.folder, self.names)
