"""Background jobs: last runs, and a run at once."""

from dataclasses import dataclass
from datetime import datetime

from fastapi_services_platform.engine.jobs import JobRunner, JobState
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.audit import AuditEvent, AuditTrail

STARTED = "platform.job_started"


class UnknownJob(PlatformError):
    """No capability contributes such a job."""

    def __init__(self, name: str) -> None:
        super().__init__(f"job: there is no {name!r}.", "use a name of the list of jobs.")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the page shows it."""

    name: str
    every_seconds: float
    outcome: str
    last_run: datetime | None
    seconds: float
    runs: int
    failures: int
    error: str


class Jobs:
    """The jobs of this process."""

    def __init__(self, runner: JobRunner, audit: AuditTrail) -> None:
        self._runner = runner
        self._audit = audit

    def all(self) -> list[JobView]:
        """Every job by name."""
        return sorted((_view(state) for state in self._runner.states), key=lambda view: view.name)

    async def run_now(self, name: str, *, by: str) -> JobView:
        """Run a job and wait for its end.

        Raises:
            UnknownJob: there is no such job.
        """
        if all(state.name != name for state in self._runner.states):
            raise UnknownJob(name)
        await self._audit.record(AuditEvent(STARTED, by, f"job:{name}"))
        return _view(await self._runner.run_now(name))


def _view(state: JobState) -> JobView:
    return JobView(
        name=state.name,
        every_seconds=state.job.interval,
        outcome=state.outcome,
        last_run=state.last_run,
        seconds=state.seconds,
        runs=state.runs,
        failures=state.failures,
        error=state.error,
    )
