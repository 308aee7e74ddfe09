"""What is kept about workers: who they are, what they can isolate, and when they were last alive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from skriptoteket.core.identifiers import WorkerId


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's own record: who it is, what it can isolate, and when it was last alive."""

    id: WorkerId
    host_id: str
    boot_id: str
    pid: int
    process_start: float
    version: str
    runner: str
    capabilities: Mapping[str, str]
    environments: tuple[str, ...]
    memory_budget_mib: int
    memory_reserved_mib: int
    draining: bool
    started_at: datetime
    heartbeat_at: datetime
    problem: str = ""
    fix: str = ""


class WorkerStore(Protocol):
    """Records of workers. A worker that can isolate nothing registers too, with ``runner=""`` and problem and fix
    filled in."""

    async def save(self, worker: Worker) -> None:
        """Insert or replace."""
        ...

    async def all(self) -> Sequence[Worker]: ...

    async def remove(self, worker: WorkerId) -> None: ...

    async def ask_to_drain(self, worker: WorkerId, at: datetime) -> bool:
        """Keep the wish beside the worker's own record; ``False`` when there is no such worker."""
        ...

    async def asked_to_drain(self, worker: WorkerId) -> bool: ...
