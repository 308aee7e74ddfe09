"""Redis for one shell: loopback only, a password of its own, nothing on disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from au_sys_python_factory.errors import Missing
from au_sys_python_factory.shell.services.unprivileged import Account, account_for, folder_for
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import write_private
from au_sys_python_factory.shell.supervision.supervisor import Program

_USERS = ("redis", "nobody")


@dataclass(frozen=True, slots=True)
class Redis:
    """A prepared Redis."""

    binary: str
    folder: Path
    account: Account
    port: int
    password: str = field(repr=False)

    name = "redis"

    @property
    def environment(self) -> dict[str, str]:
        """Guesses and rates are counted there, together."""
        address = f"redis://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/0"
        return {"IDENTITY_REDIS_URL": address, "FSP_RATE_LIMIT_STORAGE": address}

    @property
    def program(self) -> Program:
        """The server; its password stands in a file, where no list of processes shows it."""
        return Program(
            self.name,
            (self.binary, str(self.folder / "redis.conf")),
            listens=self.port,
            folder=str(self.folder),
            account=(self.account.uid, self.account.gid) if self.account.name else None,
        )


def prepare_redis(services: Path, password: str) -> Redis:
    """Find the server and write its configuration.

    Raises:
        Missing: Redis is not installed.
    """
    binary = shutil.which("redis-server")
    if binary is None:
        raise Missing("Redis is not installed", fix="apt-get install redis-server")
    account = account_for(_USERS)
    folder = folder_for(account, services, "redis")
    port = free_port()
    config = folder / "redis.conf"
    lines = ["bind 127.0.0.1", f"port {port}", f'requirepass "{password}"', 'save ""', "appendonly no", f"dir {folder}"]
    write_private(config, "\n".join(lines) + "\n")
    if account.name:
        os.chown(config, account.uid, account.gid)
    return Redis(binary, folder, account, port, password)
