"""Processes of a run as seen from the worker: who they are, how they die, what they use."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

_KIB_PER_MIB = 1024


def start_time(pid: int) -> int | None:
    """Boot-clock ticks at which a process started; with the pid it names a process for as long as the host is up."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def open_process(pid: int) -> int | None:
    """A pidfd, or ``None`` when the process is gone."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def pid_of(pidfd: int | None) -> int:
    """The number of a process behind its pidfd, as this process counts; 0 when it is gone."""
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        if line.startswith("Pid:"):
            return max(0, int(line.split()[1]))
    return 0


def kill_process(pidfd: int | None) -> None:
    """SIGKILL; a process that is gone is fine."""
    if pidfd is not None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def kill_if_same(pid: int, started: int) -> bool:
    """SIGKILL to the process that had this pid at this start time; True when there was one."""
    pidfd = open_process(pid)
    if pidfd is None:
        return False
    try:
        # Compared after the pidfd is open, so that the pid cannot be given to another process in between.
        if start_time(pid) != started:
            return False
        kill_process(pidfd)
        return True
    finally:
        os.close(pidfd)


async def until_dead(pidfd: int | None, seconds: float) -> bool:
    """Wait for the end of a process, learnt from its pidfd; False after ``seconds``."""
    if pidfd is None:
        return True
    try:
        await asyncio.wait_for(until_readable(pidfd), seconds)
    except TimeoutError:
        return False
    return True


async def until_readable(descriptor: int) -> None:
    """Wait until a descriptor has something to read; a pidfd has when its process is dead."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    loop.add_reader(descriptor, there.set)
    try:
        await there.wait()
    finally:
        loop.remove_reader(descriptor)


def memory_in_use_mib(root_pids: Iterable[int]) -> float:
    """Proportional set size of processes and all their descendants. Blocks: reads /proc."""
    return sum(_proportional_kib(pid) for root_pid in root_pids for pid in _family(root_pid)) / _KIB_PER_MIB


def address_space_mib(pid: int) -> int:
    """Virtual size of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE") // (1024 * 1024)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from _family(int(child))


def _proportional_kib(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
