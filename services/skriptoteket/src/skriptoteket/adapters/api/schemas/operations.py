"""Workers, queue and environments: wire shapes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from skriptoteket.core.governance.environments.models import EnvironmentVerdict
from skriptoteket.core.runs.oversight.operations import Operations
from skriptoteket.core.runs.ports.workers import Worker


class WorkerOut(BaseModel):
    """A worker: where it runs, what it isolates, whether it was heard of lately."""

    id: str
    host_id: str
    pid: int
    version: str
    runner: str
    capabilities: dict[str, str]
    environments: list[str]
    memory_budget_mib: int
    memory_reserved_mib: int
    alive: bool
    draining: bool
    started_at: datetime
    heartbeat_at: datetime
    problem: str
    fix: str

    @classmethod
    def of(cls, worker: Worker, alive: bool) -> "WorkerOut":
        """The wire shape of a worker."""
        given = {name: getattr(worker, name) for name in cls.model_fields if name != "alive"}
        given |= {"capabilities": dict(worker.capabilities), "environments": list(worker.environments)}
        return cls(**given, alive=alive)


class LaneOut(BaseModel):
    """What waits in a lane, and since when."""

    lane: str
    waiting: int
    oldest: datetime | None


class PurgeOut(BaseModel):
    """How the last purge went."""

    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    counts: dict[str, int]


class QueueStateOut(BaseModel):
    """The queue by lane, the outcomes of the last day, the last purge."""

    lanes: list[LaneOut]
    outcomes: dict[str, int]
    purge: PurgeOut | None

    @classmethod
    def of(cls, found: Operations) -> "QueueStateOut":
        """The wire shape of the service's state."""
        purge = None
        if found.purge is not None:
            done = found.purge
            purge = PurgeOut(
                tried_at=done.tried_at,
                succeeded_at=done.succeeded_at,
                failures=done.failures,
                counts=dict(done.counts),
            )
        lanes = [LaneOut(lane=each.lane, waiting=each.waiting, oldest=each.oldest) for each in found.lanes]
        return cls(lanes=lanes, outcomes=dict(found.outcomes), purge=purge)


class EnvironmentOut(BaseModel):
    """An environment with its packages."""

    name: str
    workers: list[str]
    packages: list[str]
    digest: str
    usable: bool
    problem: str
    verdict: str | None
    rationale: str | None
    decided_by: str | None
    decided_at: datetime | None


class EnvironmentDecisionIn(BaseModel):
    """A verdict about the content of an environment that has this digest."""

    model_config = ConfigDict(extra="forbid")

    verdict: EnvironmentVerdict
    rationale: str = Field(max_length=4000)
    expected_digest: str = Field(max_length=64)
