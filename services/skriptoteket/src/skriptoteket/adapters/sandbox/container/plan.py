"""What is asked of the engine for one run: a volume, a container that keeps it, and the script's own container."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from skriptoteket.adapters.sandbox.arguments import ENVIRONMENT
from skriptoteket.adapters.sandbox.view import RUNNER_AT
from skriptoteket.core.runs.models import Limits

_MIB = 1024 * 1024
_OWN_PROCESSES = 2
_HOLDER_MIB = 64
_HOLDER_USER = 60_999
_WATCH = "import signal; signal.pause()"
_LONGER_SECONDS = 30
_MOST_PROCESSES = 4096  # of one user of the host; the group and the entry code set the run's own limit
_MASKED = (
    "/sys", "/etc", "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/kmsg", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
)  # fmt: skip
_PODMANS_OWN = ("/run", "/var/tmp")  # noqa: S108 - tmpfs without a size, which Podman adds to a read-only root
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """Facts of one run that every part of it is made with.

    ``podman`` is whether the engine is Podman, which differs in three things: it adds files about its host to ``/etc``
    and tmpfs of its own, takes masked paths as a security option only, and lets a tmpfs of a container have no number
    of files (their memory is still the run's).
    """

    image: str
    program: str
    seccomp: str
    labels: Mapping[str, str]
    runtime: str | None
    timezone: str
    limits: Limits
    podman: bool = False

    def volume(self, name: str) -> dict[str, object]:
        """A tmpfs of fixed size and number of files; it lives as long as a container has it."""
        # In pages: Podman takes the word size for a disk quota, whatever the type is.
        blocks = self.limits.workspace_mib * _MIB // os.sysconf("SC_PAGE_SIZE")
        options = f"nr_blocks={blocks},nr_inodes={self.limits.inodes},mode=1777,nosuid,nodev"
        made = {"type": "tmpfs", "device": "tmpfs", "o": options}
        return {"Name": name, "Driver": "local", "DriverOpts": made, "Labels": dict(self.labels)}

    def holder(self, volume: str) -> dict[str, object]:
        """A container that does nothing but keep the volume there, before the script starts and after it ended."""
        config = self._config([self.program, "-I", "-S", "-B", "-c", _WATCH], _HOLDER_USER)
        host = self._host(volume, memory_mib=_HOLDER_MIB, processes=4, cpu=1.0)
        return {**config, "HostConfig": host}

    def script(self, volume: str, uid: int, mark: str) -> dict[str, object]:
        """The script's container."""
        limits = self.limits
        entry = [f"{RUNNER_AT}/container.py", "/job", mark, str(limits.processes + _OWN_PROCESSES)]
        seconds = str(limits.wall_seconds + _LONGER_SECONDS)
        config = self._config([self.program, "-I", "-S", "-B", "-u", *entry, seconds], uid)
        host = self._host(
            volume, memory_mib=limits.memory_mib, processes=limits.processes + _OWN_PROCESSES, cpu=limits.cpu
        )
        sized = {"/tmp": limits.tmp_mib, "/dev/shm": limits.shm_mib}  # noqa: S108 - the script's own
        inodes = "" if self.podman else f",nr_inodes={limits.inodes}"
        options = f"{inodes},mode=1777,nosuid,nodev"
        tmpfs = {folder: f"size={mib * _MIB}{options}" for folder, mib in sized.items()}
        return {**config, "HostConfig": {**host, "Tmpfs": tmpfs}}

    def _config(self, command: list[str], uid: int) -> dict[str, object]:
        return {
            "Image": self.image,
            "Entrypoint": [],
            "Cmd": command,
            "User": f"{uid}:{uid}",
            "Env": [f"{name}={value}" for name, value in {**ENVIRONMENT, "TZ": self.timezone}.items()],
            "WorkingDir": "/job",
            "Hostname": "sandbox",
            "NetworkDisabled": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Labels": dict(self.labels),
        }

    def _host(self, volume: str, *, memory_mib: int, processes: int, cpu: float) -> dict[str, object]:
        limits = self.limits
        bounds = {
            "fsize": limits.file_mib * _MIB,
            "nofile": limits.open_files,
            "core": 0,
            "memlock": 64 * 1024,
            "nproc": _MOST_PROCESSES,
        }
        host: dict[str, object] = {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={self.seccomp}", *self._masks()],
            "IpcMode": "none",
            "CgroupnsMode": "private",
            "Memory": memory_mib * _MIB,
            "MemorySwap": memory_mib * _MIB,
            "PidsLimit": processes,
            "NanoCpus": int(cpu * 1_000_000_000),
            "Ulimits": [{"Name": name, "Soft": value, "Hard": value} for name, value in bounds.items()],
            "Mounts": [
                {"Type": "volume", "Source": volume, "Target": "/job", "VolumeOptions": {"NoCopy": True}},
            ],
            "MaskedPaths": list(_MASKED),
            "ReadonlyPaths": list(_READ_ONLY),
            "LogConfig": {"Type": "none"},
            "RestartPolicy": {"Name": "no"},
        }
        return {**host, "Runtime": self.runtime} if self.runtime else host

    def _masks(self) -> list[str]:
        return ["mask=" + ":".join((*_MASKED, *_PODMANS_OWN))] if self.podman else []
