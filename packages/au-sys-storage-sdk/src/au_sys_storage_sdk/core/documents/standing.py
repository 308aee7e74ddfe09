"""What a backend is among those that documents are moved between; kept in the backend itself, it fences writers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from au_sys_storage_sdk.core.errors import Fenced


class Role(Enum):
    """``ACTIVE`` takes writes, ``COPY`` is being filled by a switch, ``RETIRED`` has a successor."""

    ACTIVE = "active"
    COPY = "copy"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Standing:
    """``epoch`` grows with every switch that is done; ``operation`` is the one that made it what it is."""

    epoch: int = 1
    role: Role = Role.ACTIVE
    operation: str = ""

    @property
    def text(self) -> str:
        """As backends keep it; :meth:`of` reads it."""
        return "" if self == Standing() else f"{self.epoch} {self.role.value} {self.operation}"

    @classmethod
    def of(cls, text: str | None) -> Standing:
        """The reverse; a backend that was never part of a switch says nothing."""
        if not text:
            return cls()
        epoch, role, operation = text.split(" ")
        return cls(int(epoch), Role(role), operation)

    def admit(self, backend: str, writer: Standing) -> None:
        """Let a writer in that opened the backend with the standing that it has now.

        Raises:
            Fenced: it is not active, or it was switched since.
        """
        if self.role is not Role.ACTIVE or writer != self:
            raise Fenced(backend, writer.epoch, self.epoch)
