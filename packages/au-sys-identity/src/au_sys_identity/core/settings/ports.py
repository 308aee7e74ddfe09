"""SettingStore: values that are kept sealed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptSetting:
    """One setting as it is stored; ``version`` grows with every change."""

    name: str
    sealed: bytes = field(repr=False)
    version: int
    updated_at: datetime


class SettingStore(Protocol):
    """Settings by name."""

    async def get(self, name: str) -> KeptSetting | None: ...

    async def all(self) -> list[KeptSetting]:
        """In the order of their names."""

    async def put(self, setting: KeptSetting) -> None:
        """Keep the successor of the version before, or the first one.

        Raises:
            Stale: another version is stored.
        """
