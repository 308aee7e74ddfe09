"""What must be true before a shell is built or started; trouble is named with its fix before anything is changed."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from packaging.version import Version

from au_sys_python_factory.errors import Missing, Refused
from au_sys_python_factory.shell.supervision.addresses import LOOPBACK, holder, is_free
from au_sys_python_factory.shell.supervision.processes import terminate
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record
from au_sys_python_factory.shell.supervision.supervisor import remove_leftovers
from au_sys_python_factory.wheels.locking import take
from au_sys_python_factory.wheels.uv import run_uv

LEAST_UV = Version("0.13")
LEAST_PYTHON = (3, 11)
LEAST_DISK = 500 * 1024 * 1024


def check_tools(root: Path) -> str:
    """The version of uv, when it and Python are new enough.

    Raises:
        Missing: one is not there or too old.
    """
    if sys.version_info < LEAST_PYTHON:
        raise Missing(f"Python {sys.version.split()[0]} is too old", fix="uv python install 3.13")
    found = re.search(r"\d+\.\d+(\.\d+)?", run_uv(["--version"], doing="asking uv for its version", folder=root))
    version = Version(found.group()) if found else Version("0")
    if version < LEAST_UV:
        raise Missing(f"uv {version} is too old, {LEAST_UV} is needed", fix="python3 -m pip install --upgrade uv")
    return str(version)


def check_disk(folder: Path) -> None:
    """Refuse when less than 500 MB are free.

    Raises:
        Refused: with path and need.
    """
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_DISK:
        raise Refused(
            f"{free // 2**20} MB are free, {LEAST_DISK // 2**20} MB are needed",
            where=str(place),
            fix="free some disk space",
        )


def check_address(host: str, port: int, *, host_was_named: bool) -> None:
    """Refuse an address that somebody holds, or one that others reach and nobody asked for.

    Raises:
        Refused: with who holds it.
    """
    if host not in LOOPBACK and not host_was_named:  # pragma: no cover - the default is loopback
        raise Refused(f"{host} is reachable from other machines", fix="name it with --host if that is meant")
    if port and not is_free(host, port):
        raise Refused(
            f"port {port} is taken by {holder(port)}; nothing was started or changed",
            fix=f"end that process, or choose another port: --port {_another(host, port)}",
        )


def take_lock(state: StateFolder, *, patience: float = 2.0) -> int | None:
    """The shell's lock as a descriptor, or ``None`` while another shell has it.

    A process that was killed may hold it a moment longer than its first thread lives, hence the patience.
    """
    end = time.monotonic() + patience
    while True:
        lock = take(state.lock, wait=False)
        if lock is not None:
            return lock
        record = read_record(state)
        if (record is not None and record.alive) or time.monotonic() >= end:
            return None
        time.sleep(0.02)


def clean_up_after_killed(state: StateFolder) -> Iterator[str]:
    """End what a killed supervisor left running, and remove its record; yields a line for each thing done.

    Only called by the holder of the lock: no supervisor is alive then. A number that another process has now is left
    alone.
    """
    record = read_record(state)
    if record is None:
        return
    for item in reversed(record.survivors):
        terminate(item.process, grace=10.0)
        yield f"ended {item.name} (process {item.process.pid}), which a killed shell had left"
    state.record.unlink(missing_ok=True)
    remove_leftovers(state)


def _another(host: str, port: int) -> int:
    return next((number for number in range(port + 1, port + 100) if number < 65536 and is_free(host, number)), 0)
