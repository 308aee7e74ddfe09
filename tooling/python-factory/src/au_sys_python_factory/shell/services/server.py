"""What a server that a shell brings along has to say of itself."""

from __future__ import annotations

from typing import Protocol

from au_sys_python_factory.shell.supervision.supervisor import Program


class Server(Protocol):
    """A prepared server."""

    name: str

    @property
    def environment(self) -> dict[str, str]:
        """What the platform is told."""
        ...

    @property
    def program(self) -> Program:
        """How it is started."""
        ...
