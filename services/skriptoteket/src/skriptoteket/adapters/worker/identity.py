"""Who this worker is: a host and state directory, a boot, a process; and that it is the only one there."""

import fcntl
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.matching import live

_LOCK = "worker.lock"


class WorkerRefused(Exception):
    """This worker may not work here; the text says why, and what to do."""


class WorkerAlreadyRuns(WorkerRefused):
    """Another worker holds the state directory."""

    def __init__(self, state_dir: Path, holder: str) -> None:
        self.state_dir = state_dir
        self.holder = holder
        super().__init__(
            f"A worker already runs in {state_dir} (process {holder}). Stop it, or give this one a state directory of "
            "its own in SKRIPTOTEKET_STATE_DIR."
        )


class SecondHost(WorkerRefused):
    """The library's database belongs to one host, and a worker of another one lives."""

    def __init__(self, worker: Worker, within: timedelta) -> None:
        self.worker = worker
        super().__init__(
            f"The library is a SQLite file, which one host alone may work on, and worker {worker.id} of another host "
            f"(or of another state directory) was alive at {worker.heartbeat_at:%H:%M:%S}. Several hosts need "
            "PostgreSQL: set SKRIPTOTEKET_DATABASE_URL=postgresql://… on each. If that worker is gone for good, "
            f"start again in {within.total_seconds():.0f} seconds."
        )


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """``host_id`` belongs to the state directory, so that its lock file decides who of that name is alive."""

    id: WorkerId
    host_id: str
    boot_id: str
    pid: int
    process_start: float


class StateLock:
    """The lock file of a state directory; the kernel frees it when the process dies, however it dies."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(state_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise WorkerAlreadyRuns(state_dir, holder or "unknown") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def beat(self) -> None:
        """Say that the worker is not stuck, to whoever asks with :func:`is_alive`."""
        os.utime(self._descriptor)

    def release(self) -> None:
        """Let the next worker in."""
        os.close(self._descriptor)


def is_alive(state_dir: Path, within: timedelta) -> bool:
    """Whether a worker holds the state directory and said so lately; a stuck one does not."""
    try:
        descriptor = os.open(state_dir / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return abs(time.time() - os.fstat(descriptor).st_mtime) <= within.total_seconds()
    finally:
        os.close(descriptor)


def refuse_second_host(workers: Iterable[Worker], host_id: str, now: datetime, within: timedelta) -> None:
    """Nothing, when no other host lives.

    Raises:
        SecondHost: one does.
    """
    for worker in live(tuple(workers), now, within):
        if worker.host_id != host_id:
            raise SecondHost(worker, within)


def identify(state_dir: Path) -> WorkerIdentity:
    """This process as a worker of this state directory; its host id is made at the first start."""
    file = state_dir / "host-id"
    if not file.is_file():
        file.write_text(uuid.uuid4().hex, encoding="ascii")  # factory: allow Y03 -- before the first claim
    host_id = file.read_text(encoding="ascii").strip()  # factory: allow Y03 -- before the first claim
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    started = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return WorkerIdentity(
        WorkerId(f"{host_id[:12]}-{boot_id[:8]}-{os.getpid()}-{started:.0f}"), host_id, boot_id, os.getpid(), started
    )
