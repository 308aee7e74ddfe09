"""Which packages an environment holds, read from the folder that the operator built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from fastapi_services_platform import blocking


@dataclass(frozen=True, slots=True)
class Environments:
    """The environments that versions may choose. Lives as long as the app."""

    names: Sequence[str]
    folder: Path | None

    async def packages(self) -> Mapping[str, Sequence[str]]:
        """``name version`` by environment; nothing where only the standard library is there."""
        return {name: await blocking(_packages, self.folder, name) for name in self.names}


def _packages(folder: Path | None, name: str) -> list[str]:
    if folder is None or not (folder / name).is_dir():
        return []
    found = distributions(path=[str(folder / name)])
    return sorted({f"{each.name} {each.version}" for each in found}, key=str.lower)
