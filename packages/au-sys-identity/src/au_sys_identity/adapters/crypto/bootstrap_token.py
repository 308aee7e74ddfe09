"""The token for the first administrator: given, or in a file that only the operator reads."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from au_sys_identity.adapters.crypto.sealing import key_file


@dataclass(frozen=True, slots=True)
class BootstrapToken:
    """Reads and forgets it; both touch files: call them where blocking is allowed."""

    file: Path
    given: str | None = field(default=None, repr=False)

    def write(self) -> Path | None:
        """Make the file unless a token was given; where it is."""
        if self.given is not None:
            return None
        key_file(self.file)
        return self.file

    def read(self) -> str | None:
        """The token, or ``None`` when there is none."""
        if self.given is not None:
            return self.given
        return base64.b64encode(key_file(self.file)).decode("ascii") if self.file.exists() else None

    def forget(self) -> None:
        """It was used."""
        self.file.unlink(missing_ok=True)
