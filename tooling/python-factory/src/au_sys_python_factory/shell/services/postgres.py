"""PostgreSQL for one shell: its own cluster, loopback only, a password of its own, no Unix socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from au_sys_python_factory.errors import FactoryError, Missing
from au_sys_python_factory.shell.services.unprivileged import Account, account_for, folder_for
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import write_private
from au_sys_python_factory.shell.supervision.supervisor import Program

SUPERUSER = "fsp"
_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A prepared cluster. Its repr shows no password."""

    folder: Path
    binaries: Path
    account: Account
    port: int
    password: str

    name = "postgres"

    def __repr__(self) -> str:
        """Where it is."""
        return f"Postgres({self.folder}, port={self.port})"

    @property
    def environment(self) -> dict[str, str]:
        """What the platform is told."""
        account = f"{SUPERUSER}:{quote(self.password, safe='')}"
        return {"FSP_DATABASE_URL": f"postgresql+asyncpg://{account}@127.0.0.1:{self.port}/postgres"}

    @property
    def program(self) -> Program:
        """The server; SIGINT is its fast shutdown, which ends sessions instead of waiting for them."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "60",
            "shared_buffers": "32MB",
            "log_min_messages": "warning",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = (str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *options)
        return Program(
            self.name,
            command,
            listens=self.port,
            ready_file=str(self.folder / "data" / "postmaster.pid"),
            stop_signal=signal.SIGINT,
            folder=str(self.folder),
            account=(self.account.uid, self.account.gid) if self.account.name else None,
        )


def prepare_postgres(services: Path, password: str) -> Postgres:
    """Find the server and make the cluster if there is none yet.

    Raises:
        Missing: PostgreSQL is not installed.
        FactoryError: ``initdb`` failed; its own words follow.
    """
    binaries = _binaries()
    account = account_for(_USERS)
    folder = folder_for(account, services, "postgres")
    if not (folder / "data" / "PG_VERSION").is_file():
        _initialize(folder, binaries, account, password)
    return Postgres(folder, binaries, account, free_port(), password)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise Missing("PostgreSQL is not installed", fix="apt-get install postgresql")


def _initialize(folder: Path, binaries: Path, account: Account, password: str) -> None:
    """Into a folder of another name first, so that an interruption leaves no half cluster."""
    fresh = folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    told = folder / "password"
    write_private(told, f"{password}\n")
    if account.name:
        os.chown(told, account.uid, account.gid)
    command = [str(binaries / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"]
    done = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
        [*command, "--auth=scram-sha-256", f"--pwfile={told}"],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": f"{binaries}:/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        **account.as_arguments,  # type: ignore[call-overload]  # user, group, extra_groups
    )
    told.unlink()
    if done.returncode != 0:
        raise FactoryError(f"initdb failed\n{done.stderr.strip() or done.stdout.strip()}", where=str(folder))
    fresh.rename(folder / "data")
