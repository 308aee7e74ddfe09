"""How much this host takes at once: the sum of the runs' memory limits, a number of slots; less when it is short."""

import os
from pathlib import Path

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Lane, Run

_MIB = 1024 * 1024
_SHARE = 0.6
_SLOTS_PER_CORE = 2
_MOST_PRESSURE = 10.0
PRESSURE = Path("/proc/pressure/memory")
"""Where the kernel tells how long processes of this host waited for memory."""


def default_memory_budget_mib() -> int:
    """60 % of the host's memory, or of the cgroup's that this process lives in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(file).read_text()))
        except (OSError, ValueError):
            continue
    return int(total * _SHARE / _MIB)


def default_slots() -> int:
    """Two runs for every core that this process may use."""
    return max(1, len(os.sched_getaffinity(0)) * _SLOTS_PER_CORE)


def held_back(pressure: Path = PRESSURE) -> frozenset[str]:
    """Lanes that start nothing: the scheduled one while some process waited for memory a tenth of the last ten
    seconds. A kernel that does not tell holds nothing back.

    Source: https://docs.kernel.org/accounting/psi.html.
    """
    try:
        some = pressure.read_text(encoding="ascii").partition("\n")[0]  # factory: allow Y03 -- a file of /proc
        waited = float(some.partition("avg10=")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return frozenset()
    return frozenset({Lane.SCHEDULED}) if waited >= _MOST_PRESSURE else frozenset()


class Budget:
    """What is reserved now. A run is charged with its limit, not with what it happens to use."""

    def __init__(self, memory_mib: int, slots: int) -> None:
        self.memory_mib = memory_mib
        self._slots = slots
        self._reserved: dict[RunId, int] = {}

    @property
    def reserved_mib(self) -> int:
        """Memory promised to runs."""
        return sum(self._reserved.values())

    @property
    def free_mib(self) -> int:
        """Memory that the next run may ask for; 0 when every slot is taken."""
        return self.memory_mib - self.reserved_mib if len(self._reserved) < self._slots else 0

    def take(self, run: Run) -> None:
        """Reserve for a run."""
        self._reserved[run.id] = run.limits.memory_mib

    def give_back(self, run: Run) -> None:
        """Free what a run had; idempotent."""
        self._reserved.pop(run.id, None)
