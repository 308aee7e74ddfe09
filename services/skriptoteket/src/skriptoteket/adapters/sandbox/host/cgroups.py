"""Control groups v2, v1 and none behind one door: hard limits where the host allows them."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PREFIX = "skriptoteket-run-"
_MIB = 1024 * 1024
_CPU_PERIOD_US = 100_000
_REMOVAL_SECONDS = 2.0
_ABANDONED_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Limits of one group: bytes, number of processes and threads, cores."""

    memory_bytes: int
    processes: int
    cpu: float


class Group(Protocol):
    """The processes of one run."""

    def add(self, pid: int) -> None: ...

    def doors(self) -> list[int]:
        """Descriptors; whoever writes ``0`` to each of them is in the group. The caller closes them.

        A move waits for the whole kernel, so it is made by the process that moves and not by the worker.
        """
        ...

    def ran_out_of_memory(self) -> bool: ...

    def usage(self) -> tuple[float | None, float | None]:
        """CPU seconds and peak memory in MiB, each ``None`` where the host does not count it."""
        ...

    def kill(self) -> None: ...

    def abandoned(self) -> bool:
        """True when nothing lives in it and it is older than any start may take: its worker is gone for good."""
        ...

    def removed(self) -> bool:
        """Removed now, without waiting; False when something still lives in it."""
        ...

    def remove(self) -> None:
        """Blocks until the group is empty, at most two seconds."""
        ...


class Cgroups(Protocol):
    """A driver: makes groups, and finds those that a dead worker left."""

    @property
    def name(self) -> str: ...

    def capabilities(self) -> Mapping[str, str]: ...

    def create(self, label: str, limits: GroupLimits) -> Group: ...

    def leftovers(self) -> Mapping[str, Group]:
        """Groups of this driver by label."""
        ...


def choose_cgroups() -> Cgroups:
    """The strongest driver that works here, found by making a group and removing it."""
    for driver in (V2Cgroups.here(), V1Cgroups.here()):
        if driver is not None:
            with contextlib.suppress(OSError):
                driver.create(f"probe-{os.getpid()}", GroupLimits(64 * _MIB, 8, 1.0)).remove()
                return driver
    return NoCgroups()


def isolation_of(cgroups: Cgroups) -> dict[str, str]:
    """What a sandbox of namespaces, filter and sized tmpfs isolates, with the limits that the driver can keep."""
    return {
        "network_isolation": "hard",
        "filesystem_isolation": "hard",
        "pid_isolation": "hard",
        "disk_quota": "hard",
        "seccomp": "yes",
        "own_uid": "hard" if os.geteuid() == 0 else "soft",
        **cgroups.capabilities(),
    }


class NoCgroups:
    """Where no group can be made: limits stay soft (address space, polled memory, processes per user)."""

    name = "none"

    def capabilities(self) -> Mapping[str, str]:
        return {"memory_limit": "soft", "process_limit": "soft", "cpu_limit": "soft"}

    def create(self, label: str, limits: GroupLimits) -> Group:
        return _NoGroup()

    def leftovers(self) -> Mapping[str, Group]:
        return {}


class _NoGroup:
    def add(self, pid: int) -> None:
        return

    def doors(self) -> list[int]:
        return []

    def ran_out_of_memory(self) -> bool:
        return False

    def usage(self) -> tuple[float | None, float | None]:
        return None, None

    def kill(self) -> None:
        return

    def abandoned(self) -> bool:
        return False

    def removed(self) -> bool:
        return True

    def remove(self) -> None:
        return


class V1Cgroups:
    """One hierarchy per controller, below the worker's own group in each."""

    name = "v1"
    _CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    @classmethod
    def here(cls) -> "V1Cgroups | None":
        """The driver for this process's own groups, or ``None`` without memory and process controllers."""
        own = _own_groups()
        folders = {
            name: Path("/sys/fs/cgroup", name, own[name].lstrip("/")) for name in cls._CONTROLLERS if name in own
        }
        folders = {name: folder for name, folder in folders.items() if os.access(folder, os.W_OK)}
        return cls(folders) if {"memory", "pids"} <= set(folders) else None

    def capabilities(self) -> Mapping[str, str]:
        cpu = "hard" if "cpu" in self._folders else "soft"
        return {"memory_limit": "hard", "process_limit": "hard", "cpu_limit": cpu}

    def create(self, label: str, limits: GroupLimits) -> Group:
        group = _V1Group({name: folder / f"{_PREFIX}{label}" for name, folder in self._folders.items()})
        group.make(limits)
        return group

    def leftovers(self) -> Mapping[str, Group]:
        found: dict[str, dict[str, Path]] = {}
        for name, folder in self._folders.items():
            for path in folder.glob(f"{_PREFIX}*"):
                found.setdefault(path.name.removeprefix(_PREFIX), {})[name] = path
        return {label: _V1Group(paths) for label, paths in found.items()}


class _V1Group:
    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    def make(self, limits: GroupLimits) -> None:
        for folder in self._folders.values():
            folder.mkdir(exist_ok=True)
        memory = self._folders["memory"]
        _write(memory / "memory.limit_in_bytes", limits.memory_bytes)
        with contextlib.suppress(OSError):  # no swap accounting on this host: then swap is not limited, memory is
            _write(memory / "memory.memsw.limit_in_bytes", limits.memory_bytes)
        _write(self._folders["pids"] / "pids.max", limits.processes)
        if "cpu" in self._folders:
            _write(self._folders["cpu"] / "cpu.cfs_period_us", _CPU_PERIOD_US)
            _write(self._folders["cpu"] / "cpu.cfs_quota_us", int(limits.cpu * _CPU_PERIOD_US))

    def add(self, pid: int) -> None:
        for folder in self._folders.values():
            _write(folder / "cgroup.procs", pid)

    def doors(self) -> list[int]:
        return _doors(self._folders.values())

    def ran_out_of_memory(self) -> bool:
        return _counter(self._folders.get("memory"), "memory.oom_control", "oom_kill") > 0

    def usage(self) -> tuple[float | None, float | None]:
        cpu = _number(self._folders.get("cpuacct"), "cpuacct.usage")
        peak = _number(self._folders.get("memory"), "memory.max_usage_in_bytes")
        return (None if cpu is None else cpu / 1e9), (None if peak is None else peak / _MIB)

    def kill(self) -> None:
        _kill_members(self._folders["pids"] if "pids" in self._folders else next(iter(self._folders.values())))

    def abandoned(self) -> bool:
        return all(_is_abandoned(folder) for folder in self._folders.values())

    def removed(self) -> bool:
        return all([_removed(folder) for folder in self._folders.values()])

    def remove(self) -> None:
        for folder in self._folders.values():
            _remove(folder, self)


class V2Cgroups:
    """The unified hierarchy, in a subtree that was delegated to the worker."""

    name = "v2"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def here(cls) -> "V2Cgroups | None":
        """The driver below this process's own group, or ``None`` where the subtree is not ours.

        A group with processes in it may not pass controllers on, so this process moves into a leaf beside the runs.
        """
        own = _own_groups().get("")
        if own is None or not Path("/sys/fs/cgroup/cgroup.controllers").exists():
            return None
        folder = Path("/sys/fs/cgroup", own.lstrip("/"))
        folder = folder.parent if folder.name == "skriptoteket-worker" else folder
        try:
            if not {"memory", "pids"} <= set((folder / "cgroup.controllers").read_text().split()):
                return None
            leaf = folder / "skriptoteket-worker"
            leaf.mkdir(exist_ok=True)
            _write(leaf / "cgroup.procs", os.getpid())
            for controller in ("memory", "pids", "cpu"):
                _write(folder / "cgroup.subtree_control", f"+{controller}")
        except OSError:
            return None
        return cls(folder)

    def capabilities(self) -> Mapping[str, str]:
        return {"memory_limit": "hard", "process_limit": "hard", "cpu_limit": "hard"}

    def create(self, label: str, limits: GroupLimits) -> Group:
        group = _V2Group(self._folder / f"{_PREFIX}{label}")
        group.make(limits)
        return group

    def leftovers(self) -> Mapping[str, Group]:
        return {path.name.removeprefix(_PREFIX): _V2Group(path) for path in self._folder.glob(f"{_PREFIX}*")}


class _V2Group:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, limits: GroupLimits) -> None:
        self._folder.mkdir(exist_ok=True)
        _write(self._folder / "memory.max", limits.memory_bytes)
        with contextlib.suppress(OSError):  # absent where the kernel has no swap
            _write(self._folder / "memory.swap.max", 0)
        _write(self._folder / "memory.oom.group", 1)
        _write(self._folder / "pids.max", limits.processes)
        _write(self._folder / "cpu.max", f"{int(limits.cpu * _CPU_PERIOD_US)} {_CPU_PERIOD_US}")

    def add(self, pid: int) -> None:
        _write(self._folder / "cgroup.procs", pid)

    def doors(self) -> list[int]:
        return _doors((self._folder,))

    def ran_out_of_memory(self) -> bool:
        return _counter(self._folder, "memory.events", "oom_kill") > 0

    def usage(self) -> tuple[float | None, float | None]:
        cpu = _counter(self._folder, "cpu.stat", "usage_usec")
        peak = _number(self._folder, "memory.peak")
        return cpu / 1e6, (None if peak is None else peak / _MIB)

    def kill(self) -> None:
        try:
            _write(self._folder / "cgroup.kill", 1)
        except OSError:
            _kill_members(self._folder)

    def abandoned(self) -> bool:
        return _is_abandoned(self._folder)

    def removed(self) -> bool:
        return _removed(self._folder)

    def remove(self) -> None:
        _remove(self._folder, self)


def _own_groups() -> dict[str, str]:
    groups: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _write(file: Path, value: int | str) -> None:
    # One write call: the kernel takes each write as one command.
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def _doors(folders: Iterable[Path]) -> list[int]:
    opened: list[int] = []
    try:
        for folder in folders:
            opened.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return opened


def _number(folder: Path | None, name: str) -> int | None:
    if folder is None:
        return None
    try:
        return int((folder / name).read_text())
    except (OSError, ValueError):
        return None


def _counter(folder: Path | None, name: str, key: str) -> int:
    if folder is not None:
        with contextlib.suppress(OSError, ValueError):
            for line in (folder / name).read_text().splitlines():
                word, _, value = line.partition(" ")
                if word == key:
                    return int(value)
    return 0


def _is_abandoned(folder: Path) -> bool:
    try:
        empty = not (folder / "cgroup.procs").read_text()
        return empty and time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS
    except OSError:
        return False


def _kill_members(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), 9)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _remove(folder: Path, group: Group) -> None:
    until = time.monotonic() + _REMOVAL_SECONDS
    while not _removed(folder):
        if time.monotonic() > until:
            raise OSError(f"{folder} cannot be removed")
        group.kill()
        time.sleep(0.005)
