"""A mail sink for one shell: letters go over SMTP and land where the gauntlet reads them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.shell.services import mail_sink
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.supervisor import Program


@dataclass(frozen=True, slots=True)
class MailSink:
    """A prepared sink."""

    outbox: Path
    port: int

    name = "mail"

    @property
    def environment(self) -> dict[str, str]:
        """Identity sends its letters there."""
        return {"IDENTITY_MAIL_URL": f"smtp://127.0.0.1:{self.port}"}

    @property
    def program(self) -> Program:
        """The sink, under the interpreter that runs the factory."""
        command = (sys.executable, "-I", str(mail_sink.__file__), str(self.outbox), "127.0.0.1", str(self.port))
        return Program(self.name, command, listens=self.port)


def prepare_mail(outbox: Path) -> MailSink:
    """A sink that keeps letters in ``outbox``."""
    return MailSink(outbox, free_port())
