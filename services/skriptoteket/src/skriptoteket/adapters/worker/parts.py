"""What a worker is told and what it is put together from."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.admission import PRESSURE
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What an operator may set about a worker; 0 means: find out."""

    state_dir: Path
    version: str = ""
    lease_seconds: float = 30
    heartbeat_seconds: float = 5
    poll_seconds: float = 1
    drain_seconds: float = 60
    max_tries: int = 2
    max_active_per_user: int = 3
    memory_budget_mib: int = 0
    cpu_slots: int = 0
    timezone: str = "Europe/Stockholm"
    environments: frozenset[str] = frozenset({"standard@1"})
    lane_weights: Mapping[str, int] | None = None
    prepared_limits: Limits = field(default_factory=Limits)
    pressure: Path = PRESSURE


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker is put together from. ``sandbox`` is ``None`` where the host can isolate nothing; ``usable`` asks
    which environments are approved, again with every heartbeat; ``digests`` has the lock digest of each; ``listening``
    rings the given bell when another host says that a run waits; ``one_host`` is true of a database that only one host
    may work on."""

    uow: UnitOfWork[RunUnit]
    files: ArtifactStore
    sandbox: Sandbox | None
    report: HostReport
    clock: Clock
    usable: Callable[[], Awaitable[frozenset[str]]] | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    listening: Callable[[Callable[[], None]], AbstractAsyncContextManager[None]] | None = None
    one_host: bool = False
