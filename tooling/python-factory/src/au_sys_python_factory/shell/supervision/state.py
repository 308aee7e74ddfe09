"""The state folder of a shell: where everything lies, and what is written about the running one."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.shell.supervision.processes import ProcessId


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths below the state folder (``.shell`` in the root of the workspace)."""

    root: Path

    @property
    def venv(self) -> Path:
        """The environment that the shell runs in."""
        return self.root / "venv"

    @property
    def data(self) -> Path:
        """Databases and blobs: what survives restarts and upgrades."""
        return self.root / "data"

    @property
    def run(self) -> Path:
        """Sockets, locks and the record of the running shell."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """What the processes write."""
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        """One file per secret variable, mode 0600."""
        return self.root / "secrets"

    @property
    def services(self) -> Path:
        """Data of servers that the shell brings along."""
        return self.root / "services"

    @property
    def manifest(self) -> Path:
        """Which wheels, with hashes, the environment holds."""
        return self.root / "manifest.json"

    @property
    def lock(self) -> Path:
        """Held as long as a shell starts or runs."""
        return self.run / "lock"

    @property
    def record(self) -> Path:
        """What :func:`read_record` reads."""
        return self.run / "shell.json"

    @property
    def addresses(self) -> Path:
        """Variables that name the servers of this start, for commands beside it; they hold passwords."""
        return self.run / "addresses.json"

    @property
    def inventory(self) -> Path:
        """What the wheels said that they contain, with what that was read from."""
        return self.run / "inventory.json"

    def prepare(self) -> None:
        """Make the folders, closed to everybody else.

        Raises:
            Refused: the folder belongs to another user, is a link, or others may write into it: secrets are inside.
        """
        self.check()
        for folder in (self.root, self.data, self.run, self.logs, self.secrets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def check(self) -> None:
        """See :meth:`prepare`; this one changes nothing."""
        if self.root.is_symlink():
            raise Refused("the state folder is a link", where=str(self.root), fix="name the folder itself with --state")
        if not self.root.exists():
            return
        found = self.root.stat()
        if found.st_uid != os.geteuid():
            raise Refused(
                f"the state folder belongs to user {found.st_uid}",
                where=str(self.root),
                fix=f"sudo chown -R $(id -u) {self.root}, or another folder with --state",
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Refused(
                "others may write into the state folder", where=str(self.root), fix=f"chmod go-rwx {self.root}"
            )


@dataclass(frozen=True, slots=True)
class DataMarks:
    """What is known about data without opening them; lies beside them."""

    folder: Path

    @property
    def first_admin(self) -> Path:
        """Says that the first administrator of this data was made, and for which address."""
        return self.folder / ".first-admin"

    @property
    def heads(self) -> Path:
        """The migration heads that this data was brought to."""
        return self.folder / ".heads.json"

    def read_heads(self) -> dict[str, str]:
        """Database -> revision that it is known to be at."""
        try:
            heads: dict[str, str] = json.loads(self.heads.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return heads

    def forget(self) -> None:
        """The data are others now."""
        self.first_admin.unlink(missing_ok=True)
        self.heads.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process that the supervisor started."""

    name: str
    process: ProcessId
    restarts: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ShellRecord:
    """The running shell as its supervisor writes it."""

    supervisor: ProcessId
    host: str
    port: int
    phase: str
    processes: tuple[RunningProcess, ...] = field(default=())
    detail: str = ""

    @property
    def url(self) -> str:
        """Where browsers reach it."""
        return url_of(self.host, self.port)

    @property
    def alive(self) -> bool:
        """Whether the supervisor is there."""
        return self.supervisor.alive

    @property
    def survivors(self) -> tuple[RunningProcess, ...]:
        """Processes of ours that are still there."""
        return tuple(item for item in self.processes if item.process.alive)

    def with_process(self, changed: RunningProcess) -> ShellRecord:
        """The same with one process added or replaced."""
        others = tuple(item for item in self.processes if item.name != changed.name)
        return replace(self, processes=(*others, changed))


def url_of(host: str, port: int) -> str:
    """The address of a shell; a wildcard is reached over loopback."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 (compared, not bound)
    return f"http://{name}:{port}"


def read_record(state: StateFolder) -> ShellRecord | None:
    """The record of the shell that runs, or ran and was killed; ``None`` when there is none that can be read."""
    try:
        content = json.loads(state.record.read_text("utf-8"))
        processes = tuple(
            RunningProcess(item["name"], ProcessId(**item["process"]), item["restarts"], item["failed"])
            for item in content.pop("processes")
        )
        return ShellRecord(supervisor=ProcessId(**content.pop("supervisor")), processes=processes, **content)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(state: StateFolder, record: ShellRecord) -> None:
    """Replace the record in one step."""
    write_private(state.record, json.dumps(asdict(record), indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    temporary.replace(path)
