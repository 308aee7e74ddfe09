"""Background jobs: last runs, and a run at once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi_services_platform.engine.background.jobs import JobRun, JobRunner, JobState
from fastapi_services_platform.engine.background.schedules import next_run
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.audit import AuditEvent, AuditTrail
from fastapi_services_platform.persistence.databases import Database

STARTED = "platform.job_started"


class UnknownJob(PlatformError):
    """No capability contributes such a job."""

    def __init__(self, name: str) -> None:
        super().__init__(f"job: there is no {name!r}.", "use a name of the list of jobs.")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the page shows it: its last run on any process, and how often it ran on this one."""

    name: str
    every_seconds: float
    cron: str
    timezone: str
    outcome: str
    last_run: datetime | None
    next_run: datetime
    seconds: float
    runs: int
    failures: int
    error: str
    node: str


class Jobs:
    """The jobs of the platform, wherever they run."""

    def __init__(self, runner: JobRunner, database: Database, audit: AuditTrail) -> None:
        self._runner = runner
        self._database = database
        self._audit = audit

    async def all(self) -> list[JobView]:
        """Every job by name."""
        from fastapi_services_platform.hub.switches.job_rows import last_runs

        kept = await last_runs(self._database)
        views = (self._view(state, kept.get(state.name)) for state in self._runner.states)
        return sorted(views, key=lambda view: view.name)

    async def run_now(self, name: str, *, by: str) -> JobView:
        """Run a job and wait for its end.

        Raises:
            UnknownJob: there is no such job.
        """
        if all(state.name != name for state in self._runner.states):
            raise UnknownJob(name)
        await self._audit.record(AuditEvent(STARTED, by, f"job:{name}"))
        return self._view(await self._runner.run_now(name), None)

    def _view(self, state: JobState, kept: JobRun | None) -> JobView:
        """What this process knows, or what another one kept since."""
        newer = kept is not None and (state.last_run is None or kept.at > state.last_run)
        own = JobRun(state.outcome, state.last_run or datetime.now(UTC), state.seconds, state.error, self._runner.node)
        run = kept if kept is not None and newer else own
        never = state.last_run is None and not newer
        return JobView(
            name=state.name,
            every_seconds=state.job.interval,
            cron=state.job.cron,
            timezone=state.job.timezone if state.job.cron else "",
            outcome=run.outcome,
            last_run=None if never else run.at,
            next_run=next_run(state.job, datetime.now(UTC) if state.job.cron or never else run.at),
            seconds=run.seconds,
            runs=state.runs,
            failures=state.failures,
            error=run.error,
            node="" if never else run.node,
        )
