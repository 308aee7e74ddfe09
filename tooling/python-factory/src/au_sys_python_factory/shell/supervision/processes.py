"""Processes named so that a number used again by another one is never mistaken for ours.

A process is its number, its start time and the boot that it belongs to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this host, past or present."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether exactly this process is still there (a zombie is not)."""
        return _start_of(self.pid) == self.started


def identify(pid: int) -> ProcessId:
    """The identity of a running process."""
    return ProcessId(pid, _start_of(pid) or "gone")


def terminate(process: ProcessId, *, grace: float) -> bool:
    """TERM, wait at most ``grace`` seconds, then KILL; only if it is the same process. True when it went by itself.

    The whole process group is killed when the process leads one, so that children cannot outlive it.
    """
    if not process.alive:
        return True
    _signal(process, signal.SIGTERM)
    if wait_gone(process, grace):
        _signal_group(process.pid, signal.SIGKILL)
        return True
    _signal_group(process.pid, signal.SIGKILL)
    _signal(process, signal.SIGKILL)
    wait_gone(process, 5.0)
    return False


def wait_gone(process: ProcessId, seconds: float) -> bool:
    """Whether the process ended within so many seconds. It need not be a child, so this looks from time to time."""
    end = time.monotonic() + seconds
    while process.alive:
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def _signal(process: ProcessId, number: int) -> None:
    if process.alive:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def _signal_group(group: int, number: int) -> None:
    """Signal a group that a process of ours led; its number is not given to another group while a member lives."""
    if group <= 1 or group == os.getpgrp():
        return
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _start_of(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if _BOOT.exists() else _start_by_ps(pid)
    except (ProcessLookupError, PermissionError, IndexError):
        return None
    if fields[0] in ("Z", "X"):
        return None
    return f"{_boot()}:{fields[19]}"


def _boot() -> str:
    return _BOOT.read_text("utf-8").strip()[:8]


def _start_by_ps(pid: int) -> str | None:  # where there is no /proc
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (a number is all that varies)
    return done.stdout.strip() or None
